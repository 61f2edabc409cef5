"""Lists of up to 100,000 people: uploaded, understood, watched, corrected and taken back.

Importing the package hangs every page on the blueprint.
"""

from lims.web.imports import download, pages
from lims.web.imports.blueprint import blueprint, init_app

__all__ = ["blueprint", "download", "init_app", "pages"]
