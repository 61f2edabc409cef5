"""The blueprint that the pages of pools hang on, and who may look at them."""

from typing import Final

from flask import Blueprint

from lims.work.access import Role

blueprint = Blueprint("pools", __name__, url_prefix="/pools")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
LAB: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
