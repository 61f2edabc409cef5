"""``lims panel …``: the site's dilution series, and the largest pool that follows from it."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from lims.console import ACTOR, as_json, say, settings

if TYPE_CHECKING:
    from lims.domain.pooling.validation_panel import DilutionRow, Fitted, Panel

_COLUMNS = ("pool_size", "ct_undiluted", "ct_pooled", "detected", "replicates")


@click.group()
def panel() -> None:
    """The validation panel: how many swabs may go into one pool here."""


@panel.command("enter")
@click.argument("series", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="The report that the figures are from.")
@click.option("--lod-ct", required=True, type=float, help="The Ct detected 19 times of 20.")
@click.option(
    "--weak-positive-ct", required=True, type=float, help="The latest Ct no pool may lose."
)
@click.option("--id", "panel_id", type=click.UUID, help="Said again, nothing is entered twice.")
@as_json
def enter(
    *,
    series: Path,
    source: str,
    lod_ct: float,
    weak_positive_ct: float,
    panel_id: UUID | None,
    as_json: bool,
) -> None:
    """Enter a dilution series: a CSV with the columns pool_size, ct_undiluted, ct_pooled (empty
    where nothing was detected), detected, replicates."""
    from lims.db.ids import uuid7
    from lims.db.laboratory import utc_now
    from lims.domain.pooling.validation_panel import Panel
    from lims.opening import open_laboratory
    from lims.work.validation_panel import enter_panel

    entered = Panel(lod_ct, weak_positive_ct, tuple(_rows(series)))
    laboratory = open_laboratory(settings(), name="lims panel")
    panel_id = panel_id or uuid7()
    try:
        with laboratory.sessions.begin() as session:
            fitted = enter_panel(
                session,
                panel_id,
                entered,
                source=source,
                site_id=laboratory.site_id,
                by=ACTOR,
                now=utc_now(),
            )
    finally:
        laboratory.engine.dispose()
    answer = {"panel_id": str(panel_id), "source": source, **_said(entered, fitted)}
    say(answer, as_json=as_json, human=_in_words)


@panel.command("show")
@as_json
def show(as_json: bool) -> None:
    """Say what holds; exit 1 where no panel was entered yet."""
    from lims.opening import open_laboratory
    from lims.work.views.validation_panels import every_panel

    laboratory = open_laboratory(settings(), name="lims panel")
    try:
        with laboratory.sessions.begin() as session:
            panels = every_panel(session, site_id=laboratory.site_id, most=1)
    finally:
        laboratory.engine.dispose()
    if not panels:
        raise click.ClickException("no validation panel was entered yet: lims panel enter")
    [line] = panels
    answer = {
        "panel_id": str(line.panel_id),
        "source": line.source,
        "entered_at": line.entered_at.isoformat(),
        "entered_by": line.entered_by,
        **_said(line.panel, line.fitted),
    }
    say(answer, as_json=as_json, human=_in_words)


def _rows(series: Path) -> "list[DilutionRow]":
    """Raises BadParameter with the line that cannot be read."""
    from lims.domain.pooling.validation_panel import DilutionRow

    with series.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise click.BadParameter(f"no column {missing[0]} in {series}", param_hint="SERIES")
        try:
            return [
                DilutionRow(
                    pool_size=int(line["pool_size"]),
                    ct_undiluted=float(line["ct_undiluted"]),
                    ct_pooled=float(line["ct_pooled"]) if line["ct_pooled"].strip() else None,
                    detected=int(line["detected"]),
                    replicates=int(line["replicates"]),
                )
                for line in lines
            ]
        except (ValueError, TypeError, AttributeError) as error:
            raise click.BadParameter(
                f"line {lines.line_num}: {error}", param_hint="SERIES"
            ) from error


def _said(panel: "Panel", fitted: "Fitted") -> dict[str, Any]:
    return {
        "lod_ct": panel.lod_ct,
        "weak_positive_ct": panel.weak_positive_ct,
        "cycles_per_doubling": round(fitted.cycles_per_doubling, 4),
        "largest_pool": fitted.largest_pool,
        "because": str(fitted.bound),
        "sizes": [
            {
                "pool_size": one.pool_size,
                "cycles_lost": None if one.cycles_lost is None else round(one.cycles_lost, 3),
                "detected": one.detected,
                "replicates": one.replicates,
                "passed": one.passed,
            }
            for one in fitted.sizes
        ],
    }


def _in_words(answer: dict[str, Any]) -> str:
    bound = {
        "limit_of_detection": "more would lose the weak positive",
        "largest_measured": "nothing larger was measured",
        "detection": "the next size found less than 19 of 20",
    }
    lines = [
        f"At most {answer['largest_pool']} to a pool: {bound[answer['because']]}.",
        f"A doubling costs {answer['cycles_per_doubling']:.2f} cycles ({answer['source']}).",
    ]
    for one in answer["sizes"]:
        lost = "-" if one["cycles_lost"] is None else f"{one['cycles_lost']:.1f}"
        seen = f"{one['detected']} of {one['replicates']} detected"
        lines.append(f"  {one['pool_size']:>3} in a pool: {lost} cycles lost, {seen}")
    return "\n".join(lines)
