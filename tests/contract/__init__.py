"""One suite per port, over the fake and over the adapter on emulated AWS."""
