"""The mass-testing day: benchmarks and load."""
