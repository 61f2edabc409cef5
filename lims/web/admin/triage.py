"""The table that gives F0 their colours: what holds, and a form for the next."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Final

from flask import render_template, request
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody
from lims.domain.triage import Colour, Signs, TriageRule, rule_of, rule_values
from lims.web import handoff_words, triage_words
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.refusing import faults_of
from lims.work.access import Fault, Role
from lims.work.triage import add_rules, refuse_table, rules_in_force
from lims.work.triage_preview import Recoloured, recoloured

NUMBERS: Final = ("age_from", "age_to", "doses_from", "doses_to", "spo2_from", "spo2_to")
_COLUMNS: Final = ("colour", *NUMBERS, "ill", "signs_from")
_SPARE_LINES: Final = 4
_CASES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """What the typed table would change; ``mark`` says of which lines that was said."""

    mark: str
    changed: Sequence[Recoloured]

    @property
    def first(self) -> Sequence[Recoloured]:
        return self.changed[:_CASES_SHOWN]


@blueprint.get("/triage", endpoint="triage")
@needs(Role.ADMIN, Role.OPERATOR)
def read() -> str:
    """What holds, in words, and the same as a form to change it into the next table."""
    return _page({}, {})


@blueprint.post("/triage")
@needs(Role.ADMIN)
def add_table() -> str | Response | tuple[str, int]:
    """A new table from now on: every open case is judged by it at once.

    Sent for the first time, or with other lines than were looked at, it says which cases change.
    """
    lab = laboratory()
    try:
        rules = _typed_rules()
        if request.form.get("seen") != _mark(rules):
            with lab.sessions.begin() as session:
                refuse_table(
                    session,
                    request.form.get("name", "").strip(),
                    rules,
                    source=request.form.get("source", ""),
                    site_id=lab.site_id,
                )
                changed = recoloured(session, rules, site_id=lab.site_id, now=now())
            return _page(request.form.to_dict(), {}, Preview(_mark(rules), changed))
    except InvalidBody as refusal:
        return _page(request.form.to_dict(), faults_of(refusal)), 422
    return kept(
        lambda session: add_rules(
            session,
            request.form.get("name", "").strip(),
            rules,
            source=request.form.get("source", ""),
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.triage",
        said=_("This table holds from now on; open cases were judged anew."),
    )


def _typed_rules() -> list[TriageRule]:
    """Raises InvalidBody for a line that is no rule; empty lines are none."""
    rules = []
    for line in _lines():
        if not any(line.values()):
            continue
        try:
            rules.append(_rule(line))
        except (ValueError, KeyError) as fault:
            raise InvalidBody(
                errors=[{"pointer": "#/rules", "detail": Fault.RULE}],
                where="rules",
                came=", ".join(value for value in line.values() if value)[:80],
            ) from fault
    return rules


def _mark(rules: Sequence[TriageRule]) -> str:
    """The same for the same lines."""
    return sha256(json.dumps([rule_values(rule) for rule in rules]).encode()).hexdigest()


def _rule(line: dict[str, str]) -> TriageRule:
    values: dict[str, object] = {"colour": Colour(line["colour"])}
    for name in NUMBERS:
        if line[name]:
            values[name] = _whole(line[name])
    if line["ill"]:
        values["ill"] = {"yes": True, "no": False}[line["ill"]]
    if line["signs_from"]:
        values["signs_from"] = Signs(line["signs_from"])
    return rule_of(values)


def _whole(sent: str) -> int:
    if not (sent.isascii() and sent.isdecimal() and len(sent) < 4):
        raise ValueError(sent)
    return int(sent)


def _lines() -> list[dict[str, str]]:
    sent = [[value.strip() for value in request.form.getlist(name)] for name in _COLUMNS]
    return [
        dict(zip(_COLUMNS, (value or "" for value in line), strict=True))
        for line in zip_longest(*sent)
    ]


def _page(typed: dict[str, str], faults: dict[str, str], preview: Preview | None = None) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        table = rules_in_force(session, site_id=lab.site_id)
    sent = [line for line in _lines() if any(line.values())]
    lines = sent if faults or preview else [_shown(rule) for rule in table.rules]
    return render_template(
        "admin/triage.html",
        table=table,
        lines=[*lines, *({} for _n in range(_SPARE_LINES))],
        words=triage_words,
        colours=[(one.value, triage_words.colour_name(one)) for one in Colour],
        signs=[(one.value, triage_words.sign_name(one)) for one in Signs],
        numbers=NUMBERS,
        preview=preview,
        case_words=handoff_words,
        typed=typed,
        faults=faults,
        may_change=Role.ADMIN in current().roles,
    )


def _shown(rule: TriageRule) -> dict[str, str]:
    values = {name: str(value) for name, value in rule_values(rule).items()}
    if rule.ill is not None:
        values["ill"] = "yes" if rule.ill else "no"
    return values
