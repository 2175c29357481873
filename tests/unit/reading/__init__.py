"""One file per module of `core/reading/`."""
