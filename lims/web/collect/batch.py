"""A list of up to 10,000 swabs: good rows are kept, bad ones come back with what is wrong."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.db.ids import derived, milliseconds, uuid7
from lims.domain import barcodes
from lims.domain.refusals import BarcodeTaken, InvalidBody, Refusal
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.batch_file import COLUMNS, Line, decoded, lines_of, sex_of, written
from lims.web.collect.blueprint import DESK, blueprint
from lims.web.collect.draft import kept_campaign, taken_at
from lims.web.collect.one import Answer
from lims.web.collect.person_form import (
    FIELDS,
    PAST,
    chosen_uuid,
    invalid,
    read_area,
    read_person,
)
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.web.refusing import faults_of, said
from lims.web.transaction import in_transaction
from lims.work.register_batch import RowOutcome, register_batch
from lims.work.views import desk

SHOWN_ROWS: Final = 200
EARLIER: Final = later("this tube stands in line %(line)s already")
NO_NAME: Final = later("the name is missing")
NO_TUBE: Final = later("the tube is missing")


@dataclass(frozen=True)
class BadRow:
    """A line that was not kept, and why."""

    line: Line
    wrong: str


@dataclass(frozen=True)
class Outcome:
    """What became of a list."""

    kept: int
    again: int
    bad: list[BadRow]

    @property
    def correctable(self) -> str:
        """The bad lines as they would be sent again."""
        return written((row.line, row.wrong) for row in self.bad)


@blueprint.get("/batch")
@needs(*DESK)
def batch() -> str:
    """How a list looks, and where to paste or upload it."""
    return _page(uuid7())


@blueprint.post("/batch")
@needs(*DESK)
def take_batch() -> Answer:
    """Keep the good rows. The same list under the same id again keeps nothing twice."""
    batch_id = chosen_uuid(request.form, "batch_id") or uuid7()
    campaign = chosen_uuid(request.form, "campaign")
    pasted = request.form.get("rows", "")
    try:
        upload = request.files.get("file")
        sent = upload.read() if upload and upload.filename else b""
        lines = lines_of(decoded(sent) if sent else pasted)
        outcome = in_transaction(lambda session: _keep(session, lines, batch_id, campaign))
    except Refusal as refusal:
        page = _page(batch_id, pasted=pasted, refused=told(refusal), campaign=campaign)
        return page, int(status_of(type(refusal)))
    return _page(batch_id, outcome=outcome, pasted=outcome.correctable, campaign=campaign)


@blueprint.post("/batch/download")
@needs(*DESK)
def download_batch() -> Response:
    """The rows as they stand in the box, as a file for a spreadsheet."""
    response = make_response("\ufeff" + request.form.get("rows", "").lstrip("\ufeff"))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="rows-to-correct.csv"'
    return response


def column_faults(refusal: InvalidBody) -> str:
    """Every fault of a row, each with the column it stands in."""
    return "; ".join(f"{column}: {fault}" for column, fault in faults_of(refusal).items())


def _keep(session: Session, lines: list[Line], batch_id: UUID, campaign: UUID | None) -> Outcome:
    lab, good = laboratory(), list[tuple[int, Registration]]()
    bad: dict[int, str] = {}
    first_line: dict[str, int] = {}
    areas: dict[str, AreaRef | None] = {}
    for number, line in enumerate(lines):
        try:
            given = _registration(session, line, batch_id, campaign, areas)
            earlier = first_line.setdefault(given.barcode, line.number)
            if earlier != line.number:
                raise invalid({"barcode": _(EARLIER, line=earlier)})
            good.append((number, given))
        except InvalidBody as refusal:
            bad[number] = column_faults(refusal)
    outcomes = register_batch(session, good, site_id=lab.site_id, by=current().actor, now=now())
    same = _the_same(session, outcomes, dict(good))
    for one in outcomes:
        if one.refusal is not None and one.row not in same:
            bad[one.row] = said(one.refusal)
    kept = sum(one.receipt is not None and not one.receipt.replayed for one in outcomes)
    return Outcome(
        kept=kept,
        again=len(lines) - kept - len(bad),
        bad=[BadRow(lines[number], bad[number]) for number in sorted(bad)],
    )


def _registration(
    session: Session,
    line: Line,
    batch_id: UUID,
    campaign: UUID | None,
    areas: dict[str, AreaRef | None],
) -> Registration:
    cells, faults, barcode = line.cells, dict[str, str](), ""
    try:
        barcode = barcodes.parse(cells["barcode"])
    except Refusal as refusal:
        faults["barcode"] = f"{cells['barcode']}: {said(refusal)}" if cells["barcode"] else NO_TUBE
    at = cells["collected_at"]
    collected = taken_at(at, now()) if at else _minted(batch_id)
    if collected is None:
        faults["collected_at"] = f"{at}: {_(PAST)}"
    try:
        person = _person(session, cells, areas)
    except InvalidBody as refusal:
        faults |= faults_of(refusal)
    if not cells["name"]:
        faults["name"] = NO_NAME
    if faults or collected is None:
        raise invalid(faults)
    return Registration(
        specimen_id=derived(batch_id, barcode),
        barcode=barcode,
        collected_at=collected,
        person=person,
        campaign_id=campaign,
    )


def _person(session: Session, cells: Any, areas: dict[str, AreaRef | None]) -> PersonGiven:
    """The same commune stands on most lines: it is looked up once."""
    typed = {field: cells[field] for field in FIELDS} | {"sex": sex_of(cells["sex"])}
    found: dict[str, AreaRef | None] = {}
    wrong: dict[str, str] = {}
    try:
        person = read_person(session, typed | {"area": "", "work_area": ""})
    except InvalidBody as refusal:
        wrong = faults_of(refusal)
    for field in ("area", "work_area"):
        asked = typed[field]
        if asked and asked not in areas:
            faults: dict[str, str] = {}
            area = read_area(session, asked, field, faults)
            if faults:
                wrong[field] = f"{asked}: {_(faults[field])}"
                continue
            areas[asked] = area.value() if area else None
        found[field] = areas.get(asked)
    if wrong:
        raise invalid(wrong)
    return replace(person, area=found["area"], work_area=found["work_area"])


def _the_same(
    session: Session, outcomes: list[RowOutcome], given: dict[int, Registration]
) -> frozenset[int]:
    """Rows whose tube holds this very person already: the list was sent before."""
    taken = {
        one.row: given[one.row]
        for one in outcomes
        if isinstance(one.refusal, BarcodeTaken) and given[one.row].person
    }
    known = desk.names_in(session, [one.barcode for one in taken.values()])
    return frozenset(
        row
        for row, one in taken.items()
        if one.person and known.get(one.barcode) == (one.person.name_key, one.person.birth_year)
    )


def _minted(batch_id: UUID) -> datetime:
    """When the form was made: the moment of a swab whose row gives none."""
    moment = datetime.fromtimestamp(milliseconds(batch_id) / 1000, UTC)
    return min(moment, now())


def _page(
    batch_id: UUID,
    *,
    outcome: Outcome | None = None,
    pasted: str = "",
    refused: Told | None = None,
    campaign: UUID | None = None,
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        campaigns = desk.open_campaigns(session, site_id=lab.site_id)
    return render_template(
        "collect/batch.html",
        batch_id=batch_id,
        outcome=outcome,
        shown=SHOWN_ROWS,
        pasted=pasted if not outcome or outcome.bad else "",
        refused=refused,
        columns=COLUMNS,
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
        campaign=campaign or kept_campaign(),
    )
