"""Figures of communes by day for the epidemic-zone app (docs/exchange.md): numbers, never people.

``record`` is a commune's day and never changes; of one record the highest ``sequence`` counts. An
entry always says the figures that hold when it goes, with their own sequence.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.exchange.adapters.https_line import ANSWER_S, https_line
from lims.exchange.adapters.pushing import Pushing
from lims.exchange.speaker import Payload, Tell
from lims.work.outbound import Leased, Owing


class AreaFigures:
    """The speaker of this kind."""

    at_once = 200

    def __init__(self, *, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s

    def compose(
        self,
        session: Session,
        leased: Leased,  # noqa: ARG002 - every app is told the same
        owing: Sequence[Owing],
    ) -> Sequence[Payload]:
        days = _days(session, [one.subject_id for one in owing])
        return [_entry(days[one.subject_id], one) for one in owing]

    @contextmanager
    def line(self, leased: Leased) -> Iterator[Tell]:
        with https_line(leased, answer_s=self._answer_s) as line:
            yield Pushing(line, "/areas", leased.options.get("laboratory", "")).tell


def _days(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Row[Any]]:
    return {row.id: row for row in session.execute(_DAYS, {"ids": list(ids)})}


_DAYS = text("""
SELECT d.*, a.full_name AS area, a.level, a.parent_code
FROM area_day d JOIN area a ON a.scheme = d.area_scheme AND a.code = d.area_code
WHERE d.id = ANY(:ids)
""")


def _entry(day: Row[Any], owing: Owing) -> Payload:
    """The same bytes for the same figures, however often they are said."""
    where = {"scheme": day.area_scheme, "code": day.area_code, "name": day.area, "level": day.level}
    if day.parent_code is not None:
        where["province"] = day.parent_code
    entry: dict[str, Any] = {
        "message": str(owing.outbound_id),
        "record": str(day.id),
        "sequence": day.sequence,
        "told_at": _time(owing.created_at),
        "counted_at": _time(day.counted_at),
        "day": day.day.isoformat(),
        "area": where,
        "f0": {
            "opened": day.opened,
            "open": day.open,
            "presumptive": day.presumptive,
            "closed": day.closed,
        },
        "pcr": {"answered": day.pcr_answered, "positive": day.pcr_positive},
        "antigen": {"read": day.antigen_read, "positive": day.antigen_positive},
    }
    data = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    return Payload(
        owing.outbound_id, data, hashlib.sha256(data).hexdigest(), str(owing.outbound_id)
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
