"""``lims compare`` of a register that is asked about people: asked, answered, who has no answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from lims.console import ACTOR, counted
from lims.db.laboratory import Laboratory
from lims.work.asking import ask_refused_again
from lims.work.views.registers import stand_of, without_answer

_MOST: Final = 100_000


def stand_with(
    laboratory: Laboratory, destination_id: UUID, *, since: datetime, until: datetime, send: bool
) -> Mapping[str, Any]:
    """Of what was owed in this time. ``send``: what was refused is asked once more."""
    with laboratory.sessions.begin() as session:
        stand = stand_of(session, destination_id, since=since, until=until)
        without = without_answer(session, destination_id, since=since, until=until, most=_MOST)
        again = 0
        if send and stand.refused:
            now = laboratory.clock()
            again = ask_refused_again(session, destination_id, by=ACTOR, now=now)
    return {
        "asked": stand.asked,
        "answered": stand.answered,
        "answers": {str(verdict): many for verdict, many in stand.verdicts.items()},
        "waiting": stand.waiting,
        "refused": stand.refused,
        "asked_again": again,
        "without_answer": [
            {
                "person": str(one.person_id),
                "barcode": one.barcode,
                "state": str(one.state),
                "since": one.asked_at.isoformat(),
                "tries": one.tried,
                "said": one.said,
            }
            for one in without
        ],
    }


def sentences(said: Mapping[str, Any]) -> str:
    """For a person, who is named by a tube's label."""
    period = f"{said['since']} to {said['until']}"
    counts = ", ".join(f"{many:,} {verdict}" for verdict, many in said["answers"].items())
    lines = [
        f"{said['destination']}, {period}: asked about {said['asked']:,},"
        f" answered {said['answered']:,} ({counts})."
    ]
    for one in said["without_answer"]:
        words = "refused" if one["state"] == "refused" else "not answered yet"
        told = f": {one['said']}" if one["said"] else ""
        lines.append(f"  {one['barcode'] or one['person']}: {words}{told}")
    if not said["without_answer"]:
        lines.append("  Everybody has an answer.")
    if said["asked_again"]:
        lines.append(f"{counted(said['asked_again'], 'question')} will be asked once more.")
    return "\n".join(lines)
