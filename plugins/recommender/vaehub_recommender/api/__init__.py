"""What class Recommender is made of."""
