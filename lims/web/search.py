"""Find a person or a tube by what is remembered: posted, so that nobody stands in an address."""

from flask import Blueprint, render_template, request

from lims.domain.asked import Asked, asked
from lims.web.access import current, needs
from lims.web.language import laboratory, now
from lims.web.shell import SCANNING, at_a_desk
from lims.work.audit import record
from lims.work.views.search import Found, search

blueprint = Blueprint("search", __name__, url_prefix="/search")
Answer = str | tuple[str, int]


@blueprint.get("")
@needs(*SCANNING)
def page() -> str:
    """An empty field, for whoever comes by the menu."""
    return render_template("search/page.html", text="", found=None, tube="", at_a_desk=at_a_desk())


@blueprint.post("")
@needs(*SCANNING)
def results() -> Answer:
    """One page of what was found."""
    said = request.form.get("page", "")
    number = int(said) if said.isdecimal() and len(said) < 4 else 1
    text = request.form.get("text", "")
    return shown(text, found(asked(text), page=number), tube=request.form.get("tube", ""))


def found(meant: Asked, *, page: int = 1) -> Found:
    """Look, and write down who looked, for what kind of thing, and whom they were shown."""
    lab = laboratory()
    if meant == Asked():
        return Found()
    with lab.sessions.begin() as session:
        result = search(session, meant, site_id=lab.site_id, page=page)
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="search",
            subject=meant.kind,
            now=now(),
            people=[str(one.person_id) for one in result.people],
        )
    return result


def shown(text: str, result: Found, *, tube: str = "") -> Answer:
    """The page around a result; `tube` is one that was scanned and still wants its person."""
    page = render_template(
        "search/page.html", text=text.strip()[:200], found=result, tube=tube, at_a_desk=at_a_desk()
    )
    return page, 200 if result else 404
