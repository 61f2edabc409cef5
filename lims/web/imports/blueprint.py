"""The blueprint of the lists, and how much it may be sent."""

from typing import Final

from flask import Blueprint, Flask, request

from lims.sheets.opened import MOST_BYTES

blueprint = Blueprint("imports", __name__, url_prefix="/collect/imports")
_MOST_PASTED: Final = 16 * 1024 * 1024
_BESIDE: Final = 64 * 1024  # the other fields of the form


def init_app(app: Flask) -> None:
    """Let this form alone be larger than any other; set before its token is read from it."""

    @app.before_request
    def larger() -> None:
        if request.endpoint == "imports.upload":
            request.max_content_length = MOST_BYTES + _MOST_PASTED + _BESIDE
            request.max_form_memory_size = _MOST_PASTED
