"""Everything that lets the service run on one machine: none of it is deployed."""
