"""Lambda on this machine: processes that run the handlers."""
