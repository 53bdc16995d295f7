"""Items and users of whom nothing but their features is known."""
