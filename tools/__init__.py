"""Tools around the service: none of them is deployed."""
