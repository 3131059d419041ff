"""What the boxes of a delivery hold."""
