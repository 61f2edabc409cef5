"""The collection desk: a person and a tube in two scans, households, lists, re-swabs.

Importing the package hangs every page on the blueprint.
"""

from lims.web.collect import again, batch, field_pool, one
from lims.web.collect.blueprint import blueprint

__all__ = ["again", "batch", "blueprint", "field_pool", "one"]
