"""The three Lambda functions: each handler parses its event, calls the core, maps the result."""
