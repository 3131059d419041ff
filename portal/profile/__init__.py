"""The farm's own card: name, address, telephone, and its news."""
