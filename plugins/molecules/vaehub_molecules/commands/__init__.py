"""What `vaehub molecules` does."""
