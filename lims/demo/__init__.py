"""A commune swabbed, tested and traced by the real processes, and reconciled with the truth."""
