"""What the worker does: rebuild the datasets of a batch in one MIP session, settle its messages."""
