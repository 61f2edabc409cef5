"""Recall: what is in doubt, what rests on it, and taking it back.

Importing the package hangs every page and act on the blueprint.
"""

from lims.web.recall import lots, page
from lims.web.recall.blueprint import blueprint

__all__ = ["blueprint", "lots", "page"]
