"""HL7 v2 as sans-I/O: MLLP blocks, messages, and what a work list answers. Bytes and time in."""
