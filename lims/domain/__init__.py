"""Pure rules of the laboratory: no framework, database, clock, network or file."""
