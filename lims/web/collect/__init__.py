"""The collection desk: a person and a tube in two scans, households, rapid tests, re-swabs.

Importing the package hangs every page on the blueprint.
"""

from lims.web.collect import again, field_pool, one, rapid
from lims.web.collect.blueprint import blueprint

__all__ = ["again", "blueprint", "field_pool", "one", "rapid"]
