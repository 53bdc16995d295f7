"""What is known of each column by itself: its bounds, the scale on which it is nearest to Gaussian, its empirical law."""
