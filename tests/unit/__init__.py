"""One file per module: rules and use cases, with fakes and no network."""
