"""Values and their rules: datasets, periods, entries, messages, queries, failures. No input or output."""
