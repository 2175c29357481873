"""What `python -m local` does: options, signals, and what it prints."""
