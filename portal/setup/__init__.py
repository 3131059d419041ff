"""`flask setup`: the farm as one readable file says it, for its first day and for what has no screen yet."""
