"""Results into citizens' electronic health books: pushed in batches, answered entry by entry."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from lims.exchange.adapters.book_entry import book_entry
from lims.exchange.adapters.https_line import ANSWER_S, https_line
from lims.exchange.adapters.pushing import Pushing
from lims.exchange.speaker import Payload, Tell
from lims.exchange.swab_words import read_words
from lims.work.outbound import Leased, Owing


class HealthBook:
    """The speaker of this kind."""

    at_once = 100

    def __init__(self, *, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s

    def compose(
        self,
        session: Session,
        leased: Leased,  # noqa: ARG002 - every book is told the same
        owing: Sequence[Owing],
    ) -> Sequence[Payload]:
        told = [(one, one.finding_id) for one in owing if one.finding_id is not None]
        words = read_words(session, [finding for _, finding in told])
        return [book_entry(words[finding], one) for one, finding in told]

    @contextmanager
    def line(self, leased: Leased) -> Iterator[Tell]:
        with https_line(leased, answer_s=self._answer_s) as line:
            yield Pushing(line, "/results", leased.options.get("laboratory", "")).tell
