"""The composition roots, one per function: from the environment to working objects.

One module each, so that the reader does not pay for what only the worker imports.
"""
