"""Captures from the outbox to the LIMS, in order, until each is answered for.

201, 200 with a receipt                        delivered
401 403 404 408 429, 5xx, 3xx, no connection   tried again for ever; 401 reads the token anew
any other 4xx (409 conflict, 413 too large)    dead letter with the problem document
500 while a letter behind it is taken          dead letter: it is this message, not the LIMS

What piled up goes in packets, one request for up to fifty letters, each answered for by itself; a
LIMS that knows no packets gets single letters. While it is away one letter alone knocks.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

import httpx
import structlog

from instruments import troubles
from instruments.lims_door import LimsDoor, NoToken
from instruments.outbox import Letter, Outbox, Refused
from instruments.troubles import TODO, Trouble

BACKOFF_FIRST_S: Final = 0.2
BACKOFF_MOST_S: Final = 30.0
LONGEST_PROBLEM: Final = 4096  # characters of a refusal that are kept
AGAIN: Final = frozenset({401, 403, 404, 408, 429})
MOST_LETTERS: Final = 50  # in a packet
MOST_BYTES: Final = 1024 * 1024  # of a packet: a dozen plates
SUSPECT_AFTER: Final = 5  # answers 500 to one letter, until one behind it is tried
_TOO_LARGE: Final = 413
_ONE_BY_ONE: Final = frozenset({404, 500})

_log = structlog.get_logger()


class Answer(Enum):
    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Said:
    """What the LIMS said to one letter. `status` None: nothing was heard, `problem` says why."""

    answer: Answer
    status: int | None
    problem: str
    trouble: Trouble | None = None


class Poster:
    """One line's letters: one thread's work."""

    def __init__(
        self,
        outbox: Outbox,
        lims: LimsDoor,
        *,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._lims = lims
        self._now = now
        self._jitter = jitter
        self._most = MOST_LETTERS
        self._singly = 0  # letters to go one by one after a packet broke
        self._faults: tuple[Letter | None, int] = (None, 0)
        self.trouble: Trouble | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; what is not delivered by then waits in the outbox."""
        failures = 0
        while not stop.is_set():
            if self._outbox.first(wait_s=0.5) is None:
                self.trouble = None
                self._outbox.sweep()
                continue
            if self._post_some():
                failures = 0
                self.trouble = None
                continue
            stop.wait(backoff_s(failures, self._jitter()))
            failures += 1

    def _post_some(self) -> bool:
        """True when the oldest letter is off the queue, or is to be asked for in another way."""
        try:
            most = 1 if self._singly or self.trouble else self._most
            packet = self._packet(most)
            if len(packet) > 1:
                return self._post_packet(packet)
            if packet:
                return self._post_one(*packet[0])
        except OSError as error:
            _log.error("outbox", error=str(error))
            self.trouble = troubles.of_disk(error)
            return False
        return True

    def _packet(self, most: int) -> list[tuple[Letter, bytes]]:
        """The oldest letters that go in one request. A damaged one is buried on the way, one that
        somebody took away is forgotten. Raises OSError."""
        packet: list[tuple[Letter, bytes]] = []
        size = 0
        for letter in self._outbox.oldest(most):
            try:
                body = letter.body()
            except FileNotFoundError:
                _log.error("letter taken away", letter=letter.path.stem)
                self._outbox.forget(letter)
                continue
            if not _is_object(body):
                said = Said(Answer.DEAD, None, "the file in the outbox is damaged")
                self._bury(letter, said, Trouble.DAMAGED_FILE)
                continue
            if packet and size + len(body) > MOST_BYTES:
                break
            size += len(body)
            packet.append((letter, body))
        return packet

    def _post_one(self, letter: Letter, body: bytes) -> bool:
        said = self._ask(self._lims.messages_url, body, letters=1, first=letter)
        self._singly = max(0, self._singly - 1)
        if said.status == httpx.codes.INTERNAL_SERVER_ERROR:
            return self._suspected(letter, said)
        return self._settle(letter, said)

    def _post_packet(self, packet: Sequence[tuple[Letter, bytes]]) -> bool:
        letters = [letter for letter, _body in packet]
        content = b'{"messages":[' + b",".join(body for _letter, body in packet) + b"]}"
        url = self._lims.at("/messages/batch")
        said = self._ask(url, content, letters=len(letters), first=letters[0])
        if said.answer is Answer.DELIVERED:
            rows = _rows(said.problem, len(letters))
            return all(self._settle(letter, row) for letter, row in zip(letters, rows, strict=True))
        if said.status == _TOO_LARGE:
            self._most = max(1, len(letters) // 2)
            return True
        if said.answer is Answer.DEAD or said.status in _ONE_BY_ONE:
            self._singly = len(letters)  # an older LIMS, or one of them breaks it: which one shows
            return True
        self._blame(said)
        return False

    def _suspected(self, letter: Letter, said: Said) -> bool:
        """500 may be this message's fault or the LIMS': a letter behind it tells which, each time
        another one."""
        known, times = self._faults
        times = times + 1 if known == letter else 1
        self._faults = (letter, times)
        behind = self._outbox.oldest(MOST_LETTERS)[1:]
        if times >= SUSPECT_AFTER and behind:
            witness = behind[(times - SUSPECT_AFTER) % len(behind)]  # the next may be as bad
            try:
                body = witness.body()
            except FileNotFoundError:
                self._outbox.forget(witness)
                return False
            other = self._ask(self._lims.messages_url, body, letters=1, first=witness)
            if other.answer is Answer.DELIVERED:
                self._settle(witness, other)
                return self._asked_once_more(letter)
        self._blame(said)
        return False

    def _asked_once_more(self, letter: Letter) -> bool:
        """The LIMS may have been mended in between: only what it breaks on even now is dead."""
        said = self._ask(self._lims.messages_url, letter.body(), letters=1, first=letter)
        if said.status == httpx.codes.INTERNAL_SERVER_ERROR:
            self._bury(letter, said, Trouble.LIMS_FAULT)
            return True
        return self._settle(letter, said)

    def _ask(self, url: str, content: bytes, *, letters: int, first: Letter) -> Said:
        started = time.monotonic()
        try:
            response = self._lims.post(url, content)
        except NoToken as error:
            _log.error("no token", error=str(error))
            return Said(Answer.AGAIN, None, str(error), Trouble.TOKEN_REFUSED)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            _log.warning("not posted", letter=first.path.stem, error=str(error))
            return Said(Answer.AGAIN, None, str(error), Trouble.LIMS_AWAY)
        _log.info(
            "posted",
            letter=first.path.stem,
            letters=letters,
            status=response.status_code,
            took_ms=round(1000 * (time.monotonic() - started)),
        )
        answer = judged(response)
        if answer is Answer.DELIVERED:
            return Said(answer, response.status_code, response.text)
        trouble = troubles.of_answer(response.status_code, response.text)
        return Said(answer, response.status_code, response.text[:LONGEST_PROBLEM], trouble)

    def _settle(self, letter: Letter, said: Said) -> bool:
        match said.answer:
            case Answer.DELIVERED:
                self._outbox.delivered(letter)
            case Answer.DEAD:
                self._bury(letter, said, said.trouble or Trouble.REFUSED)
            case Answer.AGAIN:
                self._blame(said)
                return False
        return True

    def _bury(self, letter: Letter, said: Said, reason: Trouble) -> None:
        at = self._now().isoformat(timespec="seconds")
        self._outbox.bury(letter, Refused(reason, said.status, said.problem, at))
        _log.error(
            "dead letter",
            letter=letter.path.stem,
            status=said.status,
            reason=reason.value,
            todo=TODO[reason],
        )

    def _blame(self, said: Said) -> None:
        trouble = said.trouble or Trouble.LIMS_FAULT
        if trouble is not self.trouble:
            _log.warning("waits", trouble=trouble.value, todo=TODO[trouble])
        self.trouble = trouble


def judged(response: httpx.Response) -> Answer:
    """A 200 that is no JSON object comes from something between us and the LIMS: not delivered."""
    status = response.status_code
    if status in (200, 201) and _is_object(response.content):
        return Answer.DELIVERED
    return _of_status(status)


def backoff_s(failures: int, jitter: float) -> float:
    """Doubling from 0.2 s to 30 s, of which `jitter` (0 to 1) takes off up to half, so that
    gateways cut off together do not come back together."""
    full: float = min(BACKOFF_FIRST_S * 2 ** min(failures, 16), BACKOFF_MOST_S)
    return full * (1 - jitter / 2)


def _of_status(status: int) -> Answer:
    if 400 <= status < 500 and status not in AGAIN:
        return Answer.DEAD
    return Answer.AGAIN


def _rows(answer: str, letters: int) -> list[Said]:
    """Each letter's own answer. Fewer rows than letters: the rest is asked for again."""
    rows: Any = json.loads(answer).get("rows")
    said = [_row(row) for row in rows[:letters]] if isinstance(rows, list) else []
    unanswered = Said(Answer.AGAIN, None, "no answer to this letter", Trouble.LIMS_FAULT)
    return said + [unanswered] * (letters - len(said))


def _row(row: Any) -> Said:
    if not isinstance(row, dict):
        return Said(Answer.AGAIN, None, "an answer that is none", Trouble.LIMS_FAULT)
    problem = row.get("problem")
    if isinstance(row.get("receipt"), dict) and problem is None:
        return Said(Answer.DELIVERED, 200, "")
    status = problem.get("status") if isinstance(problem, dict) else None
    if not isinstance(status, int):
        return Said(Answer.AGAIN, None, "an answer that is none", Trouble.LIMS_FAULT)
    text = json.dumps(problem, ensure_ascii=False)
    trouble = troubles.of_answer(status, text)
    return Said(_of_status(status), status, text[:LONGEST_PROBLEM], trouble)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
