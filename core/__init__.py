"""What the service knows, in rooms.

`model` and `transform` are pure. The use cases `reading`, `rebuilding` and `operating` stand beside
each other and see the outside only through `ports`. `adapters` implement those ports; they alone
know AWS or HTTP. `tests/test_imports.py` holds the direction.
"""
