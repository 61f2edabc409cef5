"""What an analyser's program leaves in a folder: the bytes, the tables in them, and the watch."""
