"""Review: what only a person may decide, why each waits, and the one act.

Importing the package hangs every page and act on the blueprint.
"""

from lims.web.review import acts, findings, page
from lims.web.review.blueprint import blueprint

__all__ = ["acts", "blueprint", "findings", "page"]
