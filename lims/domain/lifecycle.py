"""Every state a thing can be in, and the one table of moves it may make.

Source: CLSI AUTO/LIS2 sample states, HL7 table 0085 (result status), and
house.md. A move that is not in the table is refused, never ignored: a LIMS
that logs an illegal move and goes on loses a tube.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from lims.domain.refusals import IllegalMove


class TubeState(StrEnum):
    """Where the plastic is. Pool and plate membership are relations, not states."""

    COLLECTED = "collected"
    RECEIVED = "received"
    REJECTED = "rejected"
    DISCARDED = "discarded"


class TubeKind(StrEnum):
    """What the plastic holds: one swab, several swabs, or draws from other tubes."""

    INDIVIDUAL = "individual"
    FIELD_POOL = "field_pool"
    LAB_POOL = "lab_pool"


class OrderState(StrEnum):
    """A test wanted on a tube. ``void`` = its run or well gave no evidence."""

    QUEUED = "queued"
    PLATED = "plated"
    RESULTED = "resulted"
    VOID = "void"
    CANCELLED = "cancelled"


class OrderReason(StrEnum):
    """Why a test is wanted; shown to the technician beside the tube."""

    PRIMARY = "primary"
    RESOLVE = "resolve"
    REPEAT = "repeat"
    RERUN = "rerun"
    DISCORDANT = "discordant"
    CONFIRM = "confirm"


class SubPoolState(StrEnum):
    """A tube to make from some of a positive pool's tubes."""

    WANTED = "wanted"
    PREPARED = "prepared"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """A plate (or cartridge) from layout to verdict."""

    PLANNED = "planned"
    MEASURING = "measuring"
    VALID = "valid"
    HELD = "held"
    INVALID = "invalid"


class ResultStatus(StrEnum):
    """HL7 table 0085: preliminary, final, correction, cannot be obtained."""

    PRELIMINARY = "P"
    FINAL = "F"
    CORRECTED = "C"
    CANCELLED = "X"


class CaseState(StrEnum):
    """An F0 from first evidence to the end of isolation, or its withdrawal."""

    PRESUMPTIVE = "presumptive"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class NoticeState(StrEnum):
    """A notice owed to one recipient. The lease is a time, not a state."""

    OWED = "owed"
    DELIVERED = "delivered"
    DEAD = "dead"


class MessageState(StrEnum):
    """What became of one message of an analyser."""

    ACCEPTED = "accepted"
    HELD = "held"
    QUARANTINED = "quarantined"


class Standing(StrEnum):
    """What a measurement counts for. Its values never change; this may."""

    MATCHED = "matched"
    HELD = "held"
    UNMATCHED = "unmatched"
    CORRECTION = "correction"
    CONTROL = "control"
    DISMISSED = "dismissed"


class RecollectionState(StrEnum):
    """A re-swab owed by the field teams."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class ImportState(StrEnum):
    """What became of an imported list. ``mapping`` waits for somebody to say what columns hold."""

    UPLOADED = "uploaded"
    MAPPING = "mapping"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class StripState(StrEnum):
    """A rapid test on a roster. ``missed``: its window closed before anybody read it."""

    RUNNING = "running"
    READ = "read"
    MISSED = "missed"


S = TypeVar("S", bound=StrEnum)

TUBE_MOVES: Mapping[TubeState, frozenset[TubeState]] = {
    TubeState.COLLECTED: frozenset({TubeState.RECEIVED, TubeState.REJECTED}),
    TubeState.RECEIVED: frozenset({TubeState.REJECTED, TubeState.DISCARDED}),
    TubeState.REJECTED: frozenset({TubeState.DISCARDED}),
    TubeState.DISCARDED: frozenset(),
}

ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.QUEUED: frozenset({OrderState.PLATED, OrderState.RESULTED, OrderState.CANCELLED}),
    OrderState.PLATED: frozenset(
        {OrderState.RESULTED, OrderState.VOID, OrderState.QUEUED, OrderState.CANCELLED}
    ),
    OrderState.RESULTED: frozenset({OrderState.VOID}),
    OrderState.VOID: frozenset(),
    OrderState.CANCELLED: frozenset(),
}

SUB_POOL_MOVES: Mapping[SubPoolState, frozenset[SubPoolState]] = {
    SubPoolState.WANTED: frozenset({SubPoolState.PREPARED, SubPoolState.CANCELLED}),
    SubPoolState.PREPARED: frozenset(),
    SubPoolState.CANCELLED: frozenset(),
}

RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.PLANNED: frozenset({RunState.MEASURING, RunState.INVALID}),
    RunState.MEASURING: frozenset({RunState.VALID, RunState.HELD, RunState.INVALID}),
    RunState.HELD: frozenset({RunState.VALID, RunState.INVALID}),
    RunState.VALID: frozenset({RunState.INVALID}),
    RunState.INVALID: frozenset(),
}

CASE_MOVES: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.PRESUMPTIVE: frozenset(
        {CaseState.CONFIRMED, CaseState.NOT_CONFIRMED, CaseState.WITHDRAWN}
    ),
    CaseState.CONFIRMED: frozenset({CaseState.PRESUMPTIVE, CaseState.CLOSED, CaseState.WITHDRAWN}),
    CaseState.NOT_CONFIRMED: frozenset({CaseState.CONFIRMED, CaseState.PRESUMPTIVE}),
    CaseState.WITHDRAWN: frozenset({CaseState.CONFIRMED, CaseState.PRESUMPTIVE}),
    CaseState.CLOSED: frozenset({CaseState.WITHDRAWN, CaseState.CONFIRMED}),
}

NOTICE_MOVES: Mapping[NoticeState, frozenset[NoticeState]] = {
    NoticeState.OWED: frozenset({NoticeState.DELIVERED, NoticeState.DEAD}),
    NoticeState.DEAD: frozenset({NoticeState.OWED}),
    NoticeState.DELIVERED: frozenset({NoticeState.OWED}),
}

STANDING_MOVES: Mapping[Standing, frozenset[Standing]] = {
    Standing.HELD: frozenset({Standing.MATCHED, Standing.UNMATCHED, Standing.DISMISSED}),
    Standing.UNMATCHED: frozenset({Standing.MATCHED, Standing.DISMISSED}),
    Standing.CORRECTION: frozenset({Standing.MATCHED, Standing.DISMISSED}),
    Standing.MATCHED: frozenset({Standing.DISMISSED}),
    Standing.CONTROL: frozenset({Standing.DISMISSED}),
    Standing.DISMISSED: frozenset(),
}

IMPORT_MOVES: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.UPLOADED: frozenset(
        {ImportState.MAPPING, ImportState.QUEUED, ImportState.FAILED, ImportState.UNDONE}
    ),
    ImportState.MAPPING: frozenset({ImportState.UPLOADED, ImportState.QUEUED, ImportState.UNDONE}),
    ImportState.QUEUED: frozenset({ImportState.RUNNING, ImportState.FAILED, ImportState.UNDONE}),
    ImportState.RUNNING: frozenset({ImportState.DONE, ImportState.FAILED, ImportState.UNDONE}),
    ImportState.DONE: frozenset({ImportState.UNDONE}),
    ImportState.FAILED: frozenset({ImportState.UNDONE}),
    ImportState.UNDONE: frozenset(),
}


def move(table: Mapping[S, frozenset[S]], now_is: S, wanted: S, *, what: str) -> S:
    """The wanted state, if the table allows it.

    Raises IllegalMove naming the thing, its state and the moves it may make.
    """
    allowed = table[now_is]
    if wanted not in allowed:
        raise IllegalMove(
            source=str(now_is), target=str(wanted), allowed=sorted(allowed), where=what
        )
    return wanted
