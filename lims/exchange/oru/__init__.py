"""HL7 v2.5.1 ORU^R01 out over MLLP: every final word on a swab to a hospital's system."""
