"""Concluding about pools, as values."""
