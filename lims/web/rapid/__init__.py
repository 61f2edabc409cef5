"""Rapid tests: one person at a desk, a roster on one grid, and the kits they are made with.

Importing the package hangs every page on the blueprint.
"""

from lims.web.rapid import kits, one, roster, roster_deeds, rosters
from lims.web.rapid.blueprint import blueprint

__all__ = ["blueprint", "kits", "one", "roster", "roster_deeds", "rosters"]
