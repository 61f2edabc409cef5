"""Pools: what waits for one, making one by scanning, and who in a pool may be F0.

Importing the package hangs every page on the blueprint.
"""

from lims.web.pools import making, one, open, stage
from lims.web.pools.blueprint import blueprint

__all__ = ["blueprint", "making", "one", "open", "stage"]
