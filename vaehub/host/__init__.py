"""Plugins: what they may define, how they are found, and the registry of their parts."""
