"""Thần Tốc, a LIMS for the day testing must outrun an epidemic. Importing it starts nothing."""
