"""API Gateway on loopback."""
