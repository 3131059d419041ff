"""`flask setup`: the farm as one readable file says it, until there are screens for tours, points and prices."""
