"""Encoders, decoders and objectives of strings."""
