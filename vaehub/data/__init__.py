"""Rows in memory, the order they are visited in, and seeds."""
