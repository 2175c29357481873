"""One file per module of `core/model/`."""
