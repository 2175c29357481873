"""One file per module of `core/operating/`."""
