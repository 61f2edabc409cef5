"""What a platform says of its declarations: pages by cursor, some by their ids, and what it holds.

page                              leads to
--------------------------------  ---------------------------------------------------
entries, next, more               kept with its cursor in one transaction
an entry that cannot be read      listed with its reasons; the others are taken
410                               their cursors are no more: asked from the beginning
no page of the contract           away: nothing of it is taken, asked again later
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from lims.domain.declarations import DeclarationState, Entry, Unread
from lims.exchange.adapters.declaration_entry import read_entry
from lims.exchange.adapters.https_line import Line, Unreadable
from lims.exchange.speaker import Away

A_PAGE: Final = 250
MOST_ASKED: Final = 50  # by their ids, at once
_LONGEST_CURSOR: Final = 500
_HELD_AT_ONCE: Final = 1000
_MOST_PAGES: Final = 1000  # of what is held: a list that never ends is theirs to mend


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and what to ask after for those behind them."""

    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]
    cursor: str | None
    more: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """One declaration as they have it now."""

    subject_id: UUID
    version: int
    state: DeclarationState


@dataclass(frozen=True, slots=True)
class Declarations:
    """One platform, on a line; ``laboratory`` is the code that it knows us by."""

    line: Line
    laboratory: str

    def page(self, after: str | None) -> Page:
        """What is new behind a cursor. Raises Away, Gone where the cursor is known no more."""
        asked = {"laboratory": self.laboratory, "most": str(A_PAGE)}
        said = self._get("/declarations", asked | ({"after": after} if after else {}))
        entries, unread = _entries(said)
        try:
            cursor, more = said["next"], bool(said.get("more", False))
        except KeyError as error:
            raise Away("a page without its next cursor") from error
        if not isinstance(cursor, str) or not 1 <= len(cursor) <= _LONGEST_CURSOR:
            raise Away("a page without its next cursor")
        if not (cursor.isascii() and cursor.isprintable()):
            raise Away("a cursor that cannot stand in an address")
        if more and cursor == after:
            raise Away("a list that does not move on")
        return Page(entries, unread, cursor, more)

    def these(self, subjects: Sequence[UUID]) -> Page:
        """Some by their ids; who is not known there is left out. Raises Away."""
        asked = {"laboratory": self.laboratory}
        ids = ",".join(map(str, subjects))
        entries, unread = _entries(self._get("/declarations", asked | {"only": ids}))
        return Page(entries, unread, None, more=False)

    def held(self, since: datetime, until: datetime) -> Iterator[Declared]:
        """All that was declared in this time, as it is now, withdrawn ones too. Raises Away."""
        asked = {
            "laboratory": self.laboratory,
            "declared_since": _time(since),
            "declared_before": _time(until),
            "most": str(_HELD_AT_ONCE),
        }
        for _ in range(_MOST_PAGES):
            said = self._get("/declarations/held", asked)
            try:
                records = [_declared(one) for one in said["declarations"]]
                after = said.get("next")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise Away("a list of declarations that is not of the contract") from error
            yield from records
            if after is None:
                return
            asked["after"] = str(after)
        raise Away("a list without an end")

    def _get(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        try:
            said = self.line.get(path, asked)
        except Unreadable as unreadable:
            raise Away(f"does not take what is asked: {unreadable}") from unreadable
        if not isinstance(said, dict):
            raise Away("answered 200 with what is no page of declarations")
        return cast(dict[str, Any], said)


def _entries(said: dict[str, Any]) -> tuple[tuple[Entry, ...], tuple[Unread, ...]]:
    listed = said.get("entries")
    if not isinstance(listed, list):
        raise Away("answered 200 with what is no page of declarations")
    read = [read_entry(one) for one in listed]
    return (
        tuple(one for one in read if isinstance(one, Entry)),
        tuple(one for one in read if isinstance(one, Unread)),
    )


def _declared(one: Any) -> Declared:
    return Declared(UUID(one["declaration"]), int(one["version"]), DeclarationState(one["state"]))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
