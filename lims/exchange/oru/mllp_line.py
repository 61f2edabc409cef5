"""One MLLP connection that we open: a message out, its acknowledgement back, one at a time.

    MSA-1      ERR-3 (table 0357)         what it means here
    ---------  -------------------------  ----------------------------------------------------
    AA, CA     -                          taken
    AE, CE     none, 206, 207             not now: their trouble, the same again later
    AR, CR     206, 207                   not now
    AE … CR    any other                  never: what is wrong with it does not pass
    AR, CR     none                       never
    other MSH-10, or no MSA               nothing: it is about something else
    silence, a broken line                away: nothing that is owed is to blame

HL7 v2.5.1, 2.9.2.2. The standard lets a sender choose what AE and AR without a reason lead to: the
receivers that we know of mean by AE that they could not, and by AR that they will not.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from instruments.hl7.message import Message, NotHl7, read
from instruments.hl7.mllp import framed
from lims.domain.addresses import is_public
from lims.exchange.speaker import Away, Payload, Tell
from lims.work.outbound import Came, Leased

CONNECT_S: Final = 5.0
ANSWER_S: Final = 20.0
_LONGEST: Final = 1024 * 1024  # of what is said back before it ends
_BLOCK: Final = re.compile(rb"\x0b?([^\x0b\x1c]*)\x1c")
_TAKEN: Final = frozenset({"AA", "CA"})
_FAILED: Final = frozenset({"AE", "CE"})
_REFUSED: Final = frozenset({"AR", "CR"})
_PASSING: Final = frozenset({"206", "207"})  # a record is locked; an internal error


@contextmanager
def mllp_line(leased: Leased, *, answer_s: float = ANSWER_S) -> Iterator[Tell]:
    """Raises Away. Without TLS only inside a private network: these are people's names."""
    parts = urlsplit(leased.address)
    host, port = parts.hostname or "", parts.port or 0
    try:
        plain = socket.create_connection((host, port), CONNECT_S)
    except OSError as error:
        raise Away(_why(error)) from error
    with closing(plain):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "mllp" and is_public(plain.getpeername()[0]):
            raise Away("refused: without TLS only inside a private network")
        line = _encrypted(plain, host, leased) if parts.scheme == "mllps" else plain
        with closing(line):
            yield _Line(line, answer_s).tell


def _encrypted(plain: socket.socket, host: str, leased: Leased) -> socket.socket:
    try:
        context = ssl.create_default_context(cadata=leased.options.get("certificate"))
        return context.wrap_socket(plain, server_hostname=host)
    except (OSError, ValueError) as error:
        raise Away(_why(error)) from error


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


@dataclass
class _Line:
    """``heard`` is what came and was not yet a whole block."""

    line: socket.socket
    answer_s: float
    heard: bytes = b""

    def tell(self, payloads: Sequence[Payload]) -> Sequence[tuple[Came, str]]:
        """MLLP knows one message at a time."""
        return [self._tell_one(payload) for payload in payloads]

    def _tell_one(self, payload: Payload) -> tuple[Came, str]:
        until_s = monotonic() + self.answer_s
        try:
            self.line.settimeout(self.answer_s)
            self.line.sendall(framed(payload.data))
            while True:
                answer = self._next(until_s)
                judged = judge(answer, payload.known_by)
                if judged is not None:
                    return judged
        except OSError as error:
            raise Away(_why(error)) from error

    def _next(self, until_s: float) -> bytes:
        while not (found := _BLOCK.search(self.heard)):
            left_s = until_s - monotonic()
            if left_s <= 0:
                raise Away(f"no answer within {self.answer_s:.0f} s")
            self.line.settimeout(left_s)
            try:
                data = self.line.recv(65536)
            except TimeoutError as error:
                raise Away(f"no answer within {self.answer_s:.0f} s") from error
            if not data:
                raise Away("the line was closed before an answer came")
            self.heard += data
            if len(self.heard) > _LONGEST:
                raise Away("an answer without an end")
        self.heard = self.heard[found.end() :]
        return found[1]


def judge(block: bytes, control_id: str) -> tuple[Came, str] | None:
    """What an answer says of our message; None when it is about something else."""
    answer = None
    with suppress(NotHl7):
        answer = read(block)
    msa = answer.first("MSA") if answer else None
    if answer is None or msa is None or msa.value(2) != control_id:
        return None
    code = msa.value(1).upper()
    if code in _TAKEN:
        return Came.TAKEN, code
    reason, said = _error(answer)
    words = " ".join(part for part in (code, reason, msa.text(3) or said) if part)
    if reason:
        return (Came.NOT_NOW if reason in _PASSING else Came.NEVER), words
    if code in _FAILED:
        return Came.NOT_NOW, words
    return (Came.NEVER if code in _REFUSED else Came.NOT_NOW), words


def _error(answer: Message) -> tuple[str, str]:
    """ERR-3 and what it says for a person; without ERR, what older receivers put into MSA-6."""
    err = answer.first("ERR")
    if err is not None:
        return err.value(3), err.text(8) or err.text(7) or err.value(3, 2)
    msa = answer.first("MSA")
    return (msa.value(6), msa.value(6, 2)) if msa else ("", "")
