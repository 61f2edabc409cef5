"""The load day: its plan, its meter, its reckoning, and a whole small day."""
