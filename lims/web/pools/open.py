"""The board of open positive pools: which of them is the latest, and what it waits for."""

from typing import Final

from flask import render_template, request

from lims.web.access import needs
from lims.web.language import laboratory, now
from lims.web.parting_words import way_word
from lims.web.pools.blueprint import LAB, blueprint
from lims.work.views.open_pools import open_pools

_TO_A_PAGE: Final = 50
_LAST: Final = 10_000


@blueprint.get("/open", endpoint="open")
@needs(*LAB)
def board() -> str:
    """The latest first, so many to a page."""
    lab, asked = laboratory(), request.args.get("page", "1")
    page = min(int(asked), _LAST) if asked.isdecimal() and len(asked) < 6 and int(asked) else 1
    with lab.sessions.begin() as session:
        told = open_pools(
            session,
            site_id=lab.site_id,
            now=now(),
            most=_TO_A_PAGE,
            skip=(page - 1) * _TO_A_PAGE,
        )
    return render_template(
        "pools/open.html",
        told=told,
        page=page,
        pages=max(1, -(-told.many // _TO_A_PAGE)),
        way_word=way_word,
    )
