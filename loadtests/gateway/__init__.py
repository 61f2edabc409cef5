"""The real gateway process between pseudo-terminals and a LIMS that only counts."""
