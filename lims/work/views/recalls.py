"""The recalls of the laboratory, one of them, and what can be chosen to be recalled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.recall import RecallKind
from lims.domain.refusals import InvalidBody, NotFound
from lims.work.kit_names import lot_called
from lims.work.views.recall_figures import RecallFigures

MOST: Final = 100


@dataclass(frozen=True, slots=True)
class RecallSeen:
    """One recall as its row says; ``figures`` are those of the moment it was done."""

    recall_id: UUID
    kind: RecallKind
    subject_id: UUID
    subject: str
    from_at: datetime | None
    to_at: datetime | None
    reason: str
    recalled_at: datetime
    recalled_by: str
    figures: RecallFigures


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be recalled, and how people call it."""

    subject_id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Newest first."""

    kit_lots: Sequence[Choice]
    reagent_lots: Sequence[Choice]
    instruments: Sequence[Choice]


_RECALLS: Final = f"""
SELECT x.id AS recall_id, x.kind, x.from_at, x.to_at, x.reason, x.recalled_at, x.recalled_by,
       x.figures, coalesce(x.run_id, x.reagent_lot_id, x.kit_lot_id, x.instrument_id) AS subject_id,
       coalesce(r.plate, rl.lot, {lot_called("k.name", "kl.lot")}, i.name) AS subject
FROM recall x
LEFT JOIN run r ON r.id = x.run_id
LEFT JOIN reagent_lot rl ON rl.id = x.reagent_lot_id
LEFT JOIN kit_lot kl ON kl.id = x.kit_lot_id LEFT JOIN kit k ON k.id = kl.kit_id
LEFT JOIN instrument i ON i.id = x.instrument_id
WHERE x.site_id = :site
"""  # noqa: S608 - names of columns, constants here

_NEWEST = text(f"{_RECALLS} ORDER BY x.recalled_at DESC, x.id DESC LIMIT :most")
_ONE = text(f"{_RECALLS} AND x.id = :id")

_KIT_LOTS = text(
    f"""
SELECT l.id, {lot_called("k.name", "l.lot")} AS label FROM kit_lot l JOIN kit k ON k.id = l.kit_id
WHERE l.site_id = :site ORDER BY l.registered_at DESC, l.id DESC LIMIT :most
"""  # noqa: S608 - names of columns, constants here
)
_REAGENT_LOTS = text("""
SELECT id, lot AS label FROM reagent_lot WHERE site_id = :site
ORDER BY registered_at DESC, id DESC LIMIT :most
""")
_INSTRUMENTS = text("""
SELECT id, name AS label FROM instrument WHERE site_id = :site ORDER BY name LIMIT :most
""")
_PLATE = text("SELECT id FROM run WHERE site_id = :site AND plate = :plate")


_NAMED: Final = {
    RecallKind.RUN: text("SELECT id FROM run WHERE site_id = :site AND plate = upper(:name)"),
    RecallKind.REAGENT_LOT: text(
        "SELECT id FROM reagent_lot WHERE site_id = :site AND lot = upper(:name)"
    ),
    RecallKind.KIT_LOT: text("SELECT id FROM kit_lot WHERE site_id = :site AND lot = :name"),
    RecallKind.INSTRUMENT: text("SELECT id FROM instrument WHERE site_id = :site AND name = :name"),
}


def recalls(session: Session, *, site_id: UUID) -> Sequence[RecallSeen]:
    """Newest first."""
    rows = session.execute(_NEWEST, {"site": site_id, "most": MOST})
    return [_seen(row) for row in rows]


def recall_seen(session: Session, recall_id: UUID, *, site_id: UUID) -> RecallSeen | None:
    """One recall, or None."""
    row = session.execute(_ONE, {"site": site_id, "id": recall_id}).one_or_none()
    return None if row is None else _seen(row)


def choices(session: Session, *, site_id: UUID) -> Choices:
    """What a form offers; a plate is scanned."""
    about = {"site": site_id, "most": MOST}
    kit_lots, reagent_lots, instruments = (
        [Choice(row.id, row.label) for row in session.execute(query, about)]
        for query in (_KIT_LOTS, _REAGENT_LOTS, _INSTRUMENTS)
    )
    return Choices(kit_lots, reagent_lots, instruments)


def run_of_plate(session: Session, plate: str, *, site_id: UUID) -> UUID | None:
    """The run of a plate as it is scanned or typed."""
    said = plate.strip().upper()
    found: UUID | None = session.execute(_PLATE, {"site": site_id, "plate": said}).scalar()
    return found


def subject_named(session: Session, kind: RecallKind, name: str, *, site_id: UUID) -> UUID:
    """What goes by this name: a plate, a lot or an analyser. Raises NotFound, and InvalidBody where
    several lots of a kit or reagent do."""
    found = session.execute(_NAMED[kind], {"site": site_id, "name": name.strip()}).scalars().all()
    if not found:
        raise _unknown(kind, name)
    if len(found) > 1:
        fault = {"pointer": "#/lot", "detail": "several kits have this lot: recall it on its page"}
        raise InvalidBody(errors=[fault], where=str(kind), came=name)
    subject: UUID = found[0]
    return subject


def names_like(session: Session, kind: RecallKind, name: str, *, site_id: UUID) -> Sequence[str]:
    """Of what the form offers of this kind, up to three that are written much like it."""
    offered = choices(session, site_id=site_id)
    among = {
        RecallKind.REAGENT_LOT: offered.reagent_lots,
        RecallKind.KIT_LOT: offered.kit_lots,
        RecallKind.INSTRUMENT: offered.instruments,
    }.get(kind, ())
    by_name = {one.label.split(" · ")[-1].upper(): one.label for one in among}
    return [by_name[one] for one in get_close_matches(name.strip().upper(), by_name, n=3)]


def _unknown(kind: RecallKind, name: str) -> NotFound:
    match kind:
        case RecallKind.RUN:
            return NotFound(
                came=name,
                expected="a plate that was run here",
                todo="compare it with the plate's label",
            )
        case RecallKind.INSTRUMENT:
            return NotFound(
                came=name,
                expected="an analyser that is set up here",
                todo="compare it with the list of instruments",
            )
        case RecallKind.REAGENT_LOT:
            return NotFound(
                came=name,
                expected="a reagent lot that was entered on a run here",
                todo="compare it with the box and with the runs' pages",
            )
        case RecallKind.KIT_LOT:
            return NotFound(
                came=name,
                expected="a kit lot that rapid tests here were read with",
                todo="compare it with the box and with the list of kit lots",
            )


def _seen(row: Row[Any]) -> RecallSeen:
    return RecallSeen(
        row.recall_id,
        RecallKind(row.kind),
        row.subject_id,
        row.subject,
        row.from_at,
        row.to_at,
        row.reason,
        row.recalled_at,
        row.recalled_by,
        RecallFigures(**row.figures),
    )
