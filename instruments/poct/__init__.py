"""POCT1-A2 (CLSI POCT01-A2, device messaging): XML messages of a point-of-care reader. No I/O."""
