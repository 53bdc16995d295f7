"""Recommendations for more users than memory holds: files in, files out, and a job that was killed goes on where it was."""
