"""Taking one's data away, leaving, being forgotten, being one instead of two: over every feature."""
