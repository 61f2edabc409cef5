"""The JSON door: parse once, one work call, answer."""
