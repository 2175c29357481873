"""One file per module of `core/rebuilding/`."""
