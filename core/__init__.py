"""What the service knows: rules, use cases, and the adapters that reach AWS and MIP Cloud.

Direction of imports: handlers → use cases (lookup, rebuild, operations) → rules. Use cases see
the outside only through `core.ports`; `core.adapters` implement those ports, and they alone know
AWS or HTTP.
"""
