"""Pool resolution: what the evidence says of each person, and what to test next."""
