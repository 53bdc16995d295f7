"""Sets of molecules: any file, MOSES, ZINC250k."""
