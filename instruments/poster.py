"""Captures from the outbox to the LIMS, in order, until each is answered for.

201, 200 with a receipt                        delivered
401 403 408 429, 5xx, 3xx, no connection       tried again for ever; 401 reads the token anew
any other 4xx (409 conflict, 413 too large)    dead letter with the problem document
"""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from pathlib import Path

import httpx
import structlog

from instruments.outbox import Letter, Outbox, Refused

BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 30.0
TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # the LIMS answers a plate well within a second
LONGEST_PROBLEM = 4096  # characters of a refusal that are kept
AGAIN = frozenset({401, 403, 404, 408, 429})

_log = structlog.get_logger()


class Answer(Enum):
    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"


class Poster:
    """One thread's work. `token_file` may be replaced while we run."""

    def __init__(
        self,
        outbox: Outbox,
        url: str,
        token_file: Path,
        *,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._url = url
        self._token_file = token_file
        self._token: str | None = None
        self._now = now
        self._jitter = jitter

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; what is not delivered by then waits in the outbox."""
        failures = 0
        with httpx.Client(timeout=TIMEOUT) as client:
            while not stop.is_set():
                letter = self._outbox.first(wait_s=0.5)
                if letter is None:
                    continue
                if self._post(client, letter):
                    failures = 0
                    continue
                stop.wait(backoff_s(failures, self._jitter()))
                failures += 1

    def _post(self, client: httpx.Client, letter: Letter) -> bool:
        """True when the letter is off the queue."""
        try:
            return self._settle(letter, *self._ask(client, letter))
        except FileNotFoundError:
            _log.error("letter taken away", letter=letter.path.stem)
            self._outbox.forget(letter)
            return True
        except OSError as error:
            _log.error("outbox", letter=letter.path.stem, error=str(error))
            return False

    def _ask(self, client: httpx.Client, letter: Letter) -> tuple[Answer, int | None, str]:
        body = letter.body()
        if not _is_object(body):
            return Answer.DEAD, None, "the file in the outbox is damaged"
        started = time.monotonic()
        try:
            self._token = self._token or self._token_file.read_text("utf-8").strip()
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            response = client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, OSError, ValueError) as error:
            _log.warning("not posted", letter=letter.path.stem, error=str(error))
            return Answer.AGAIN, None, ""
        _log.info(
            "posted",
            letter=letter.path.stem,
            status=response.status_code,
            took_ms=round(1000 * (time.monotonic() - started)),
        )
        if response.status_code == 401:
            self._token = None
        return judged(response), response.status_code, response.text[:LONGEST_PROBLEM]

    def _settle(self, letter: Letter, answer: Answer, status: int | None, problem: str) -> bool:
        match answer:
            case Answer.DELIVERED:
                self._outbox.delivered(letter)
            case Answer.DEAD:
                at = self._now().isoformat(timespec="seconds")
                self._outbox.bury(letter, Refused(status, problem, at))
                _log.error("dead letter", letter=letter.path.stem, status=status)
            case Answer.AGAIN:
                return False
        return True


def judged(response: httpx.Response) -> Answer:
    """A 200 that is no JSON object comes from something between us and the LIMS: not delivered."""
    status = response.status_code
    if status in (200, 201) and _is_object(response.content):
        return Answer.DELIVERED
    if 400 <= status < 500 and status not in AGAIN:
        return Answer.DEAD
    return Answer.AGAIN


def backoff_s(failures: int, jitter: float) -> float:
    """Doubling from 0.2 s to 30 s, of which `jitter` (0 to 1) takes off up to half, so that
    gateways cut off together do not come back together."""
    full: float = min(BACKOFF_FIRST_S * 2 ** min(failures, 16), BACKOFF_MOST_S)
    return full * (1 - jitter / 2)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
