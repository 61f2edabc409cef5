"""What pool resolution must reach (`make bench-pooling`): one figure a file, each with its bar."""
