"""Technology without farm words."""
