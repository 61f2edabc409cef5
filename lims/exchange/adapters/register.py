"""National registers that are asked about people: in batches, answered entry by entry.

    outcome of an entry              leads to
    -------------------------------  -----------------------------------------------------
    verified, unverified, conflict   the answer, with the doses where those are asked for
    later, none at all, no sense     not now: the same question again, later and later
    refused                          never: an administrator sees their reason

A batch that cannot be read as a whole is asked again in halves, so that one bad entry harms itself.
Only what tells one person from another is said: the number, the name, the birth. It goes in bodies,
never in addresses; a register's words are kept for an administrator without long numbers in them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from lims.domain.asking import ASKS, MOST_DOSES, Answer, Differs, QuestionKind, Verdict
from lims.domain.exchange import DestinationKind
from lims.exchange.adapters.https_line import ANSWER_S, Line, Unreadable, https_line
from lims.exchange.speaker import Away
from lims.work.asking import Heard, Question
from lims.work.outbound import Came, Leased

Ask = Callable[[Sequence[Question]], Sequence[Heard]]
"""Ask these, at most 100, and wait: what came of each. Raises Away: then nothing came of any."""

_PATHS: Final[Mapping[QuestionKind, str]] = {
    QuestionKind.IDENTITY: "/identity-checks",
    QuestionKind.DOSES: "/vaccinations",
}
_A_NUMBER: Final = re.compile(r"\d{7,}")


@dataclass(frozen=True, slots=True)
class Register:
    """How one kind of register is asked."""

    kind: QuestionKind
    answer_s: float = ANSWER_S

    @contextmanager
    def line(self, leased: Leased) -> Iterator[Ask]:
        """A connection, for one turn. Raises Away on entering."""
        with https_line(leased, answer_s=self.answer_s) as line:
            yield _Asking(line, leased.options.get("laboratory", ""), self.kind).ask


def every_register() -> Mapping[DestinationKind, Register]:
    """One of each kind."""
    return {register: Register(asked) for register, asked in ASKS.items()}


@dataclass(frozen=True, slots=True)
class _Asking:
    line: Line
    laboratory: str
    kind: QuestionKind

    def ask(self, questions: Sequence[Question]) -> Sequence[Heard]:
        try:
            said = self.line.post(_PATHS[self.kind], self._body(questions))
        except Unreadable as unreadable:
            if len(questions) == 1:
                return [Heard(questions[0].question_id, Came.NEVER, said=_masked(str(unreadable)))]
            half = len(questions) // 2
            return [*self.ask(questions[:half]), *self.ask(questions[half:])]
        except Away as away:
            raise Away(_masked(str(away))) from away
        found = self._answers(said)
        return [
            found.get(str(one.question_id)) or Heard(one.question_id, Came.NOT_NOW)
            for one in questions
        ]

    def _body(self, questions: Sequence[Question]) -> bytes:
        entries = [_entry(one) for one in questions]
        body = {"laboratory": self.laboratory, "entries": entries}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def _answers(self, said: Any) -> Mapping[str, Heard]:
        """By question. Raises Away for what is no answer of the contract."""
        try:
            entries = {str(UUID(one["question"])): one for one in said["entries"]}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Away("answered 200 without the outcome of each entry") from error
        return {asked: _heard(UUID(asked), one, self.kind) for asked, one in entries.items()}


def _entry(question: Question) -> Mapping[str, str]:
    born = question.birth_date.isoformat() if question.birth_date else question.birth_year
    entry = {
        "question": str(question.question_id),
        "cccd": question.national_id,
        "name": question.name,
    }
    return entry | ({"born": str(born)} if born else {})


def _heard(question_id: UUID, one: Mapping[str, Any], kind: QuestionKind) -> Heard:
    outcome = str(one.get("outcome", ""))
    if outcome not in set(Verdict):
        came = Came.NEVER if outcome == "refused" else Came.NOT_NOW
        return Heard(question_id, came, said=_masked(str(one.get("reason") or "")))
    try:
        return Heard(question_id, Came.TAKEN, _answer(Verdict(outcome), one, kind))
    except (KeyError, TypeError, ValueError) as error:
        words = f"{outcome}, with what is not of the contract: {type(error).__name__}"
        return Heard(question_id, Came.NOT_NOW, said=words)


def _answer(verdict: Verdict, one: Mapping[str, Any], kind: QuestionKind) -> Answer:
    """Raises KeyError, TypeError, ValueError for what is not of the contract."""
    if verdict is Verdict.CONFLICT:
        return Answer(verdict, frozenset(Differs(name) for name in one.get("differs") or ()))
    if verdict is Verdict.UNVERIFIED or kind is QuestionKind.IDENTITY:
        return Answer(verdict)
    doses, days = one["doses"], one.get("dates") or []
    if type(doses) is not int or not 0 <= doses <= MOST_DOSES or len(days) > doses:
        raise ValueError(doses)
    return Answer(verdict, doses=doses, dose_dates=tuple(date.fromisoformat(day) for day in days))


def _masked(said: str) -> str:
    """A register may answer with the number that it was asked about."""
    return _A_NUMBER.sub("…", said)
