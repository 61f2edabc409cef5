"""How a line stands, for `lims-gateway status`: what its gateway said last, and what lies in its
folder now. It may be asked beside a gateway that runs and without one."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from instruments import quarantine
from instruments.journal import in_use, journal_bytes
from instruments.outbox import Refused, dead_in, waiting_in
from instruments.spool import Spool
from instruments.troubles import TODO, Trouble


def standing(spool: Spool, instrument: str, driver: str | None) -> dict[str, Any]:
    """As `status --json` tells it. Raises OSError."""
    said = spool.last_health()
    running = in_use(spool.journal)
    return {
        "instrument": instrument,
        "driver": driver,
        "running": running,
        "said_at": said.get("at"),
        "state": said.get("state") if running else "stopped",
        "since": said.get("since") if running else said.get("at"),
        "link": said.get("link"),
        "last_byte_at": said.get("last_byte_at"),
        "last_message_at": said.get("last_message_at"),
        "trouble": said.get("trouble") if running else None,
        "detail": said.get("detail") if running else "",
        "journal_bytes": journal_bytes(spool.journal),
        "waiting": waiting_in(spool.outbox),
        "quarantined": quarantine.count(spool.outbox),
        "dead": [_letter(name, refused) for name, refused in dead_in(spool.outbox)],
    }


def in_words(line: Mapping[str, Any]) -> Iterator[str]:
    """The same, line by line, with what to do about each trouble."""
    yield f"{line['instrument']}: {_state(line)}"
    if trouble := line["trouble"]:
        yield f"  trouble       {trouble} {line['detail']}"
        yield f"  -> {TODO[Trouble(trouble)] if trouble in set(Trouble) else ''}"
    for what, at in (
        ("last byte   ", line["last_byte_at"]),
        ("last message", line["last_message_at"]),
    ):
        yield f"  {what}  {here(at) if at else 'never'}"
    yield f"  journal       {line['journal_bytes']} bytes"
    yield f"  waiting       {line['waiting']}"
    yield f"  quarantined   {line['quarantined']}"
    yield f"  dead          {len(line['dead'])}"
    for letter in line["dead"]:
        status = letter["status"] or "not sent"
        yield f"    {letter['letter']}  {here(letter['at'])}  {letter['reason']}  {status}"
        yield f"      {letter['problem']}"
        yield f"      -> {letter['todo']}"


def _state(line: Mapping[str, Any]) -> str:
    if line["since"]:
        return f"{line['state'] or 'starting'} since {here(line['since'])}"
    return "never started" if line["state"] == "stopped" else "starting"


def here(moment: str) -> str:
    """A moment of ISO 8601 for a person: by this machine's clock on the wall, its zone named."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S %Z}"
    except ValueError:
        return moment


def _letter(name: str, refused: Refused) -> dict[str, Any]:
    return {"letter": name, **asdict(refused), "todo": refused.todo}
