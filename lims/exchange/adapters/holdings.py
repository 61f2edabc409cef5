"""What a platform says that it holds of ours: pages of records, in the contract of its kind."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from lims.domain.exchange import DestinationKind
from lims.exchange.adapters.book_entry import EVERY_STATUS, status_of
from lims.exchange.adapters.https_line import ANSWER_S, Unreadable, https_line
from lims.exchange.speaker import Away
from lims.work.comparing import Word
from lims.work.outbound import Leased

_A_PAGE: Final = 1000
_MOST_PAGES: Final = 1000  # of one day: a cursor that never ends is theirs to mend


@dataclass(frozen=True, slots=True)
class Held:
    """One record as they have it now; ``says`` is what it says, to be held against what we said."""

    record: UUID
    sequence: int
    says: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """How one kind is asked: where, how one record of the answer reads, and what our last word
    would read like there (nothing: that cannot be said any more)."""

    path: str
    read: Callable[[Any], Held]
    said: Callable[[Word], str | None]

    def held(
        self, leased: Leased, since: datetime, until: datetime, *, answer_s: float = ANSWER_S
    ) -> Iterator[Held]:
        """Records whose newest word that they have was told in this time.

        Raises Away, also for an answer that is not of the contract: half a list would show gaps
        that are none.
        """
        asked = {
            "laboratory": leased.options.get("laboratory", ""),
            "told_since": _time(since),
            "told_before": _time(until),
            "most": str(_A_PAGE),
        }
        with https_line(leased, answer_s=answer_s) as line:
            for _ in range(_MOST_PAGES):
                try:
                    page = line.get(self.path, asked)
                except Unreadable as unreadable:
                    raise Away(f"does not say what it holds: {unreadable}") from unreadable
                records, after = self._page(page)
                yield from records
                if after is None:
                    return
                asked["after"] = after
        raise Away("a list without an end")

    def _page(self, page: Any) -> tuple[list[Held], str | None]:
        try:
            records = [self.read(one) for one in page["records"]]
            after = page.get("next")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Away("a list of records that is not of the contract") from error
        return records, str(after) if after is not None else None


def _book_record(one: Any) -> Held:
    """Withdrawn ones too."""
    status = one["status"]
    if status not in EVERY_STATUS:
        raise ValueError(status)
    return Held(UUID(one["record"]), int(one["sequence"]), status)


def _book_word(word: Word) -> str | None:
    return status_of(word.says, word.outcome) if word.outcome is not None else None


def _area_record(one: Any) -> Held:
    f0, pcr, antigen = one["f0"], one["pcr"], one["antigen"]
    figures = (
        *(f0[name] for name in ("opened", "open", "presumptive", "closed")),
        *(pcr[name] for name in ("answered", "positive")),
        *(antigen[name] for name in ("read", "positive")),
    )
    return Held(
        UUID(one["record"]), int(one["sequence"]), " ".join(str(int(one)) for one in figures)
    )


HEALTH_BOOK: Final = Holdings("/results", _book_record, _book_word)
AREA_FIGURES: Final = Holdings("/areas", _area_record, lambda word: word.figures)
EVERY_HOLDINGS: Final[Mapping[DestinationKind, Holdings]] = {
    DestinationKind.HEALTH_BOOK: HEALTH_BOOK,
    DestinationKind.AREA_FIGURES: AREA_FIGURES,
}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
