"""New series like those of a table: every column by its empirical law, what varies from day to day as it did, the rest as a process."""
