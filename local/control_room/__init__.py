"""The control room of the local stack: a page that shows the cache at work, and can disturb it."""
