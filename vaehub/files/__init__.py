"""Files of every kind: written whole or not at all, read with care."""
