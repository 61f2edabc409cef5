"""The collection desk: a person and a tube in two scans, households, re-swabs.

Importing the package hangs every page on the blueprint.
"""

from lims.web.collect import again, field_pool, one
from lims.web.collect.blueprint import blueprint

__all__ = ["again", "blueprint", "field_pool", "one"]
