"""MIP's replies become lists and reports, and those become what clients get. Pure functions."""
