"""What an operator asks for: status, purge, refresh, dead letters."""
