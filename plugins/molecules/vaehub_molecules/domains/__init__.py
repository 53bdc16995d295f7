"""Where molecules come from: any file, MOSES, ZINC250k."""
