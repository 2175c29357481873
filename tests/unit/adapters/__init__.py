"""One file per module of `core/adapters/`."""
