"""Adaptive resolution of a positive pool: what the evidence makes of every subset of its members,
and which tests would split them with the least work."""
