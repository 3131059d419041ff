"""What is received, week by week: one-off changes, the projection, the freeze."""
