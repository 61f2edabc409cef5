"""The blueprint that the reviewer's pages hang on."""

from flask import Blueprint

blueprint = Blueprint("review", __name__, url_prefix="/review")
