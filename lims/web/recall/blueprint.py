"""Where the pages of a recall hang."""

from typing import Final

from flask import Blueprint

from lims.work.access import Role

blueprint = Blueprint("recall", __name__, url_prefix="/recall")
MAY: Final = (Role.REVIEWER, Role.OPERATOR)
