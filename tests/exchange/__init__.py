"""What other systems are told, over real lines."""
