"""The domain of plain numbers: arrays, tables and sparse matrices, in memory or in a file."""
