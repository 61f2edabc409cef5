"""A whole mass-testing day on the real programs: planned, lived, held against the truth."""
