"""Values and their rules: datasets, periods, entries, messages, queries, failures. All pure."""
