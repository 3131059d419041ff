"""Tours and their dated deliveries."""
