"""One message on its way to a recipient, with all that sending needs: no connection is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lims.domain.telling import Channel


@dataclass(frozen=True, slots=True)
class News:
    """One notice in a message."""

    notice_id: UUID
    kind: str
    case_id: UUID | None
    pool_id: UUID | None
    sequence: int
    facts: dict[str, Any]
    created_at: datetime

    @property
    def about(self) -> UUID | None:
        return self.case_id or self.pool_id


@dataclass(frozen=True, slots=True)
class Owed:
    """One leased message. `message_id` is its notice's, or its digest's where `digest` says so.

    `secrets` are a webhook's, the newest first; `asking` of a recipient that rests: is it back?
    """

    message_id: UUID
    subscription_id: UUID
    channel: Channel
    to: str
    secrets: tuple[str, ...]
    news: tuple[News, ...]
    digest: bool = False
    asking: bool = False

    @property
    def notice_ids(self) -> list[UUID]:
        return [one.notice_id for one in self.news]


def in_order(news: Iterable[News]) -> tuple[News, ...]:
    """The oldest case first, and of each case (or pool) what was said first: clocks of two hosts
    may disagree, sequences never do."""
    every: Sequence[News] = sorted(news, key=lambda one: (one.created_at, one.notice_id))
    first: dict[UUID | None, int] = {}
    for place, one in enumerate(every):
        first.setdefault(one.about, place)
    return tuple(sorted(every, key=lambda one: (first[one.about], one.sequence)))
