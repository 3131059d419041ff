"""The acts on a planning, by its subscriber or the farm, and what pages and calendars show of it."""
