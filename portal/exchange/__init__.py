"""What comes in from tables and goes out as tables: imports, exports, the whole archive."""
