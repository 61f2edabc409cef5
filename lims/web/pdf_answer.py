"""A document as the browser's answer: shown in a tab, named for the folder it ends in."""

from flask import Response, make_response


def pdf_answer(document: bytes, *, name: str) -> Response:
    """`name` without its ending, in letters, digits and hyphens."""
    response = make_response(document)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response
