"""What is packed: how many boxes go where, and the list that goes with them."""
