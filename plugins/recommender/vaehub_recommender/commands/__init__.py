"""`vaehub recommender …`, one function each; a module is imported when its command runs."""
