"""What starts functions by itself: the queue and the schedule."""
