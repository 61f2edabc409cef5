"""The demonstration: what it draws, how it runs, how it ends."""
