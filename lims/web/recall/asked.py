"""What a form asks to be recalled: a plate by its label, a lot or an analyser by its id."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.days import typed_moment
from lims.domain.recall import RecallKind, RecallScope
from lims.domain.refusals import InvalidBody, NotFound, UnknownRun
from lims.web.language import laboratory, local, now
from lims.work.views.recalls import run_of_plate


@dataclass(frozen=True)
class Asked:
    """The address of a preview; the span is as typed, or as a page wrote it."""

    kind: str = ""
    subject: str = ""
    from_at: str = ""
    to_at: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        """From an address or a form."""
        return cls(*(given.get(name, "").strip() for name in ("kind", "subject", "from", "to")))


def scope_of(session: Session, asked: Asked) -> RecallScope:
    """Raises NotFound, UnknownRun, InvalidBody (a span that cannot be read)."""
    if asked.kind not in set(RecallKind):
        raise NotFound(came=asked.kind, where="kind")
    kind = RecallKind(asked.kind)
    subject = _subject(session, kind, asked.subject)
    if kind is not RecallKind.INSTRUMENT:
        return RecallScope(kind, subject)
    return RecallScope(kind, subject, _moment(asked.from_at, "from"), _end(asked.to_at))


def _subject(session: Session, kind: RecallKind, said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        pass
    if kind is not RecallKind.RUN:
        raise NotFound(came=said, where=str(kind))
    run = run_of_plate(session, said, site_id=laboratory().site_id)
    if run is None:
        raise UnknownRun(came=said, where="plate")
    return run


def _end(said: str) -> datetime | None:
    return _moment(said, "to") if said else None


def _moment(said: str, field: str) -> datetime:
    try:
        read = typed_moment(said, local(now()).date())
    except ValueError:
        fault = {"pointer": f"#/{field}", "detail": "a moment: 08:12, or 21/11 08:12"}
        raise InvalidBody(errors=[fault], where=field, came=said) from None
    return read if read.tzinfo else read.replace(tzinfo=local(now()).tzinfo)
