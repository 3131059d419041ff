"""Subscriptions and their dated terms."""
