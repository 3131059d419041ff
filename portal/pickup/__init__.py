"""Where the boxes are collected."""
