"""The site's dilution series: what a pool loses here, and the largest pool that follows."""

from dataclasses import dataclass
from typing import Final

from flask import render_template, request
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.pooling.dilution import SCREENING, sensitivity
from lims.domain.pooling.validation_panel import MOST_ROWS, Bound, DilutionRow, Panel
from lims.tables import Site
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id, kept
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now, num
from lims.work.access import Role
from lims.work.validation_panel import enter_panel
from lims.work.views.validation_panels import PanelLine, every_panel

_COLUMNS: Final = ("pool_size", "ct_undiluted", "ct_pooled", "detected", "replicates")
_LINES: Final = 8  # a form begins with; a longer series is sent in the command line's file
_NOT_A_NUMBER: Final = float("nan")  # fits no bound, so that the rule names the field
_WHY: Final = {
    Bound.LIMIT_OF_DETECTION: later(
        "A pool of %(size)s still shows a positive of Ct %(weak)s before the limit of Ct %(lod)s;"
        " a larger one would lose it."
    ),
    Bound.LARGEST_MEASURED: later(
        "The limit of detection would allow %(limit)s, but nothing larger than %(size)s was"
        " measured."
    ),
    Bound.DETECTION: later(
        "The next size of the series found less than 19 of 20, so %(size)s is the largest that may"
        " be used."
    ),
}


@dataclass(frozen=True, slots=True)
class TypedRow:
    """One line of the form as it was typed, its number as the rule counts, and its faults."""

    values: dict[str, str]
    faults: tuple[str, ...]


@blueprint.get("/validation-panel", endpoint="validation_panel")
@needs(Role.ADMIN, Role.OPERATOR)
def read() -> str:
    """What holds, what was entered before, and the form for another series."""
    return _page({}, {})


@blueprint.post("/validation-panel")
@needs(Role.ADMIN, Role.OPERATOR)
def enter() -> Response | tuple[str, int]:
    """Its largest pool binds from now on."""
    lab, form = laboratory(), request.form
    panel = Panel(
        lod_ct=_number(form.get("lod_ct", "")),
        weak_positive_ct=_number(form.get("weak_positive_ct", "")),
        rows=tuple(_row(typed) for typed in _typed_rows()),
    )
    return kept(
        lambda session: enter_panel(
            session,
            chosen_id("panel_id") or uuid7(),
            panel,
            source=form.get("source", ""),
            site_id=lab.site_id,
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.validation_panel",
        said=_("Kept. The largest pool below holds from now on."),
    )


def _typed_rows() -> list[dict[str, str]]:
    """The lines in which anything was typed, in order."""
    columns = [request.form.getlist(name)[:MOST_ROWS] for name in _COLUMNS]
    lines = [dict(zip(_COLUMNS, line, strict=True)) for line in zip(*columns, strict=False)]
    return [line for line in lines if any(value.strip() for value in line.values())]


def _row(typed: dict[str, str]) -> DilutionRow:
    pooled = typed["ct_pooled"].strip()
    return DilutionRow(
        pool_size=_count(typed["pool_size"]),
        ct_undiluted=_number(typed["ct_undiluted"]),
        ct_pooled=_number(pooled) if pooled else None,
        detected=_count(typed["detected"]),
        replicates=_count(typed["replicates"]),
    )


def _number(text: str) -> float:
    """ "33.5" or "33,5"; what is none is refused beside its field."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return _NOT_A_NUMBER


def _count(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        panels = every_panel(session, site_id=lab.site_id)
        most = session.get_one(Site, lab.site_id).max_pool_size
    return render_template(
        "admin/validation_panel.html",
        panels=panels,
        most=most,
        why=_why,
        missed=_missed,
        rows=_rows_shown(faults),
        panel_id=typed.get("panel_id") or uuid7(),
        typed=typed,
        faults=faults,
    )


def _rows_shown(faults: dict[str, str]) -> list[TypedRow]:
    """What was typed, with what is wrong in each line, and empty lines after it."""
    typed = _typed_rows()
    shown = [
        TypedRow(
            line,
            tuple(said for where, said in faults.items() if where.startswith(f"rows/{at}/")),
        )
        for at, line in enumerate(typed)
    ]
    spare = max(_LINES - len(shown), 2)
    return [*shown, *(TypedRow(dict.fromkeys(_COLUMNS, ""), ()) for _spare in range(spare))]


def _why(line: PanelLine) -> str:
    """Why not more, in a sentence."""
    return _(
        _WHY[line.fitted.bound],
        size=num(line.largest_pool),
        weak=num(line.panel.weak_positive_ct, 1),
        lod=num(line.panel.lod_ct, 1),
        limit=num(min(line.fitted.by_limit, 100)),
    )


def _missed(line: PanelLine, size: int) -> float:
    """The share of single carriers that a pool of this size loses beside those lost alone."""
    alone = sensitivity(1, mix=SCREENING, parameters=line.fitted.parameters)
    return 1 - sensitivity(size, mix=SCREENING, parameters=line.fitted.parameters) / alone
