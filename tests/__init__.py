"""The tests, by tier: unit, contract, handlers, template, local."""
