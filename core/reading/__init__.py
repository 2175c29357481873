"""What a read does: find an entry, ask for a rebuild, wait for it."""
