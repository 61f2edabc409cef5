"""Reports about a day: the operator's dashboard, and the same as a document and as a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from flask import Blueprint, Flask, make_response, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from lims.db.laboratory import Laboratory
from lims.domain.days import typed_day
from lims.domain.refusals import NotFound
from lims.web import situation_keep
from lims.web.access import needs
from lims.web.language import laboratory, language, local, now
from lims.web.situation_keep import situations
from lims.work.access import Role
from lims.work.situation_apart import Answered
from reports import situation_words, tokens
from reports.saying import Saying, Tongue
from reports.situation import Form, Situation, Stage
from reports.turnaround import TOTALS, Turnaround

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

READERS: Final = (Role.OPERATOR, Role.REVIEWER)
_TYPES: Final = {
    Form.PDF: "application/pdf",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.JSON: "application/json",
}
_NOTES: Final = {"areas": "interval", "turnaround": "dots"}
_HEADINGS: Final = {
    "stages": "where",
    "areas": "by_area",
    "hours": "through_day",
    "turnaround": "turnaround",
}


@dataclass(frozen=True)
class Figure:
    """One chart of the page: what it answers, how to read it, and the drawing."""

    name: str
    heading: str
    note: str
    drawing: Markup
    narrow: Markup | None  # for a telephone, where the drawing's words would be cut off


@dataclass(frozen=True)
class Card:
    """One large number."""

    label: str
    said: str
    late: bool = False


@dataclass(frozen=True)
class Words:
    """How the page says the report's own words; the same as the documents say them."""

    saying: Saying

    def plain(self, key: str) -> str:
        return situation_words.plain(self.saying, key)

    def word(self, key: StrEnum) -> str:
        return situation_words.word(self.saying, key)

    def item(self, item: str) -> str:
        return situation_words.item_word(self.saying, item)


@blueprint.get("")
@needs(*READERS)
def page() -> str:
    """The dashboard of a day; today's stays true while somebody looks at it."""
    day, saying = asked_day(), saying_here()
    answered = situations().of(day, saying.tongue, now())
    situation, today = answered.situation, local(now()).date()
    return render_template(
        "reports/page.html",
        situation=situation,
        figures=_figures(answered, saying),
        cards=_cards(situation, saying),
        not_final=situation_words.not_final(saying, situation),
        words=Words(saying),
        saying=saying,
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None,
    )


@blueprint.get("/situation.<form>")
@needs(*READERS)
def file(form: str) -> Response:
    """The day as a file: no person is in it, so reading it is not recorded."""
    if form not in set(Form):
        raise NotFound(came=form[:20], where="forms of the report")
    day, wanted = asked_day(), Form(form)
    response = make_response(situations().file(day, saying_here().tongue, now(), wanted))
    response.headers["Content-Type"] = _TYPES[wanted]
    how = "inline" if wanted is Form.PDF else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="situation-{day}.{form}"'
    return response


def asked_day() -> date:
    """The day in the address, else today at the site. Raises NotFound for no day of a calendar."""
    asked = request.args.get("day", "")
    try:
        return typed_day(asked) if asked else local(now()).date()
    except ValueError:
        raise NotFound(came=asked[:20], where="days") from None


def saying_here() -> Saying:
    """As this request's person reads."""
    return Saying(Tongue(language()), laboratory().timezone)


def init_app(app: Flask, lab: Laboratory) -> None:
    """What the dashboards of one process share."""
    situation_keep.init_app(app, lab)


def _figures(answered: Answered, saying: Saying) -> Sequence[Figure]:
    return [
        Figure(
            name=name,
            heading=situation_words.plain(saying, _HEADINGS[name]),
            note=situation_words.plain(saying, _NOTES[name]) if name in _NOTES else "",
            drawing=_drawing(svg),
            narrow=_drawing(answered.narrow[name]) if name in answered.narrow else None,
        )
        for name, svg in answered.charts.items()
    ]


def _drawing(svg: str) -> Markup:
    return Markup(tokens.as_variables(svg))  # noqa: S704 - Vega's own, text escaped by it


def _cards(situation: Situation, saying: Saying) -> Sequence[Card]:
    done = next(line.swabs for line in situation.stages if line.stage is Stage.DONE)
    late = sum(line.late for line in situation.stages)
    cards = [
        Card(situation_words.plain(saying, "swabs"), saying.number(situation.swabs)),
        Card(situation_words.plain(saying, "done"), saying.number(done)),
        Card(situation_words.plain(saying, "positive"), saying.number(situation.positive)),
        Card(situation_words.plain(saying, "share"), situation_words.positivity(saying, situation)),
        Card(situation_words.plain(saying, "late"), saying.number(late), late=late > 0),
    ]
    return cards + [
        Card(situation_words.word(saying, total.segment), saying.lasting(total.median_min))
        for total in _most_swabs(situation)
    ]


def _most_swabs(situation: Situation) -> Sequence[Turnaround]:
    """The way from swab to result that most swabs took."""
    totals = [line for line in situation.turnaround if line.segment is TOTALS[0]]
    return sorted(totals, key=lambda line: -line.swabs)[:1]
