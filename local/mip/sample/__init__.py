"""A sample organisation: its chart of accounts and its books."""
