"""One file per module of `core/transform/`."""
