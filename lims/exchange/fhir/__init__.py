"""FHIR R4 (4.0.1), to read: what is stored as resources, found by the standard's parameters."""
