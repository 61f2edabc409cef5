"""The blueprint that the pages of rapid tests hang on."""

from typing import Final

from flask import Blueprint

blueprint = Blueprint("rapid", __name__, url_prefix="/collect/rapid")
ROOT: Final = "/collect/rapid"
