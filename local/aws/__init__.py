"""The local AWS: moto's server, and the template's stack in it."""
