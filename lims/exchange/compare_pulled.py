"""Compares what was taken of a platform's declarations with what it says that it has.

It is asked what it has, then what is new is pulled to its end, and only then is looked what is
here: whatever it had when it was asked has had its turn to come, and what is not here is a gap.
"""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Final
from uuid import UUID

from lims.domain.exchange import Gap
from lims.exchange.adapters.declarations import Declarations, Declared
from lims.exchange.adapters.https_line import https_line
from lims.exchange.speaker import Away
from lims.work import comparing_pulled as here
from lims.work.comparing import Comparing, Found
from lims.work.comparing_pulled import Here

if TYPE_CHECKING:
    from lims.db.laboratory import Laboratory
    from lims.exchange.pull import Puller

_LOOKS: Final = 20  # while somebody else pulls
_LOOK_S: Final = 0.5


def compare_declarations(
    lab: Laboratory, begun: Comparing, puller: Puller
) -> tuple[int, int, dict[UUID, Found]]:
    """How many were taken that were declared then, how many they have, and each gap. Raises
    Away."""
    began = lab.clock()
    destination_id = begun.leased.destination_id
    with https_line(begun.leased) as line:
        there = Declarations(line, begun.leased.options.get("laboratory", ""))
        held = {one.subject_id: one for one in there.held(begun.since, begun.until)}
    _pull_to_the_end(puller, destination_id)
    with lab.sessions.begin() as session:
        taken = here.taken(session, destination_id, held)
        unread = here.unread(session, destination_id, held)
        declared = here.declared_in(session, destination_id, since=begun.since, until=begun.until)
    gaps: dict[UUID, Found] = {}
    for subject_id, one in held.items():
        gap = _gap(one, taken.get(subject_id), unread.get(subject_id))
        if gap is not None:
            gaps[subject_id] = gap
    for subject_id, (version, taken_at) in declared.items():
        if subject_id not in held and taken_at < began:
            gaps[subject_id] = Found(Gap.VANISHED, version, None)
    return len(declared), len(held), gaps


def _gap(there: Declared, taken: Here | None, unread: int | None) -> Found | None:
    """A newer version here came since they were asked."""
    if taken is not None and taken.version >= there.version:
        other = taken.state is not there.state and not taken.forgotten
        if taken.version == there.version and other:
            return Found(Gap.OTHER, taken.version, there.version)
        return None
    if unread is not None and unread >= there.version:
        return Found(Gap.UNREAD, unread, there.version)
    return Found(Gap.UNTAKEN, taken.version if taken else None, there.version)


def _pull_to_the_end(puller: Puller, destination_id: UUID) -> None:
    for _ in range(_LOOKS):
        pulled = puller.one(destination_id)
        if pulled is not None:
            if pulled.away is not None:
                raise Away(pulled.away)
            if not pulled.more:
                return
            continue
        sleep(_LOOK_S)
    raise Away("what is new there is being taken at this moment, or it is stopped")
