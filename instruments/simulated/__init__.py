"""Machines that are not there: what each would say, and how it says it over its kind of link."""
