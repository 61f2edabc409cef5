"""The blueprint that the collection desk's pages hang on."""

from flask import Blueprint

from lims.work.access import Role

blueprint = Blueprint("collect", __name__, url_prefix="/collect")
DESK = (Role.TECHNICIAN, Role.OPERATOR)
