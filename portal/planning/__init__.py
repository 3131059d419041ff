"""The acts of subscribers on their planning, and what their pages show of it."""
