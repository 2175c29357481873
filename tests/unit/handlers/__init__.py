"""What the handlers share, without a Lambda around it."""
