"""What a season comes to: boxes, skips, subscriptions, worth, sales."""
