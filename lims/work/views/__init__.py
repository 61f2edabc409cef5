"""What pages read: set-based queries that answer with frozen values and change nothing."""
