"""Speak to other systems in their own formats: FHIR R4, HL7 v2, the national platforms."""
