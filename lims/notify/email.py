"""Send one message as an e-mail: thin, in Vietnamese and English, once per attempt.

No name, number, address or Ct: the reader signs in to see the case. `Message-ID` is the message's
id (RFC 5322 section 3.6.4), so that what is sent again after a killed deliverer is the same letter
to a mailbox; `References` names the case, so that what is said of one case stands together.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from threading import Timer
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from lims.domain.outcomes import NoticeKind
from lims.domain.telling import MailServer, Protection
from lims.work.delivery import LONGEST_ERROR, Attempt
from lims.work.owed import News, Owed

_ACCEPTED: Final = 250


class EmailSender:
    """One connection a letter: a mail server closes idle ones, and digests keep letters few.

    `step_s` bounds each answer of the server and `whole_s` the letter as a whole.
    """

    def __init__(
        self,
        base_url: str,
        server: MailServer | None,
        *,
        step_s: float = 10.0,
        whole_s: float = 20.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._server = server
        self._step_s = step_s
        self._whole_s = whole_s
        self._context = context or ssl.create_default_context()

    def send(self, owed: Owed, clock: Callable[[], datetime]) -> Attempt:
        """Never raises for what the mail server does. 250 is its word for taken (RFC 5321)."""
        if self._server is None:
            return Attempt(None, "not set up: LIMS_SMTP names no mail server", 0)
        try:
            letter = written(owed, self._base_url, self._server.sender, clock())
        except ValueError as unusable:
            return Attempt(None, f"not written: {unusable}"[:LONGEST_ERROR], 0)
        return self.post(letter)

    def post(self, letter: EmailMessage) -> Attempt:
        """A letter that is written; as `send`."""
        began = monotonic()
        if self._server is None:
            return Attempt(None, "not set up: LIMS_SMTP names no mail server", 0)
        try:
            with self._connected(self._server) as connection:
                connection.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()))
            return Attempt(_code(code), _text(said), _since_ms(began))
        except smtplib.SMTPResponseException as refused:
            error = _text(refused.smtp_error)
            return Attempt(_code(refused.smtp_code), error, _since_ms(began))
        except (smtplib.SMTPException, OSError) as failure:
            error = f"{_name(failure)}: {failure}"[:LONGEST_ERROR]
            return Attempt(None, error, _since_ms(began))
        return Attempt(_ACCEPTED, None, _since_ms(began))

    @contextmanager
    def _connected(self, server: MailServer) -> Iterator[smtplib.SMTP]:
        with closing(self._opened(server)) as connection:
            if server.protection is Protection.STARTTLS:
                connection.starttls(context=self._context)
            if server.login is not None:
                connection.login(server.login, server.password or "")
            yield connection
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()  # it is taken; a server that hangs up now has it all the same

    def _opened(self, server: MailServer) -> smtplib.SMTP:
        where, until_s = (server.host, server.port), monotonic() + self._whole_s
        if server.protection is Protection.TLS:
            return _EncryptedInTime(
                *where, timeout=self._step_s, until_s=until_s, context=self._context
            )
        return _InTime(*where, timeout=self._step_s, until_s=until_s)


class _InTime(smtplib.SMTP):
    """All its answers come by `until_s` (monotonic), or it is hung up: a server that drips meets
    the timeout of every single read, from the greeting on."""

    def __init__(self, *where: Any, until_s: float, **more: Any) -> None:
        self._until_s = until_s
        super().__init__(*where, **more)

    def getreply(self) -> tuple[int, bytes]:
        cut = Timer(max(0.0, self._until_s - monotonic()), self._hang_up)
        cut.daemon = True
        cut.start()
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected as cut_off:
            if monotonic() >= self._until_s:
                raise TimeoutError("the answer as a whole took too long") from cut_off
            raise
        finally:
            cut.cancel()

    def _hang_up(self) -> None:
        """Closing would not wake the thread that reads."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class _EncryptedInTime(_InTime, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def written(owed: Owed, base_url: str, sender: str, now: datetime) -> EmailMessage:
    """The letter. Raises ValueError for an address that cannot stand in a header."""
    domain = sender.rpartition("@")[2] or urlsplit(base_url).hostname or "localhost"
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = _subject(owed)
    letter["From"] = sender
    letter["To"] = owed.to
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{owed.message_id}@{domain}>"
    if not owed.digest:
        letter["References"] = f"<about-{owed.news[0].about}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: an absence note is not sent back
    letter.set_content(_body(owed, base_url))
    return letter


def code_of(news: News) -> str:
    """What two people say on the telephone, as the board shows it."""
    about = news.about
    kind = "F0" if news.case_id is not None else "pool"
    return f"{kind}-{about.hex[-6:].upper()}" if about is not None else kind


def _subject(owed: Owed) -> str:
    if owed.digest and len(owed.news) > 1:
        n = len(owed.news)
        wrong = sum(one.kind == NoticeKind.CASE_CORRECTED for one in owed.news)
        vi, en = (f", {wrong} đính chính", f", {wrong} corrected") if wrong else ("", "")
        return f"[Thần Tốc] {n} thông báo{vi} · {n} notices{en}"
    vi, en = _WORDS[NoticeKind(owed.news[0].kind)]
    return f"[Thần Tốc] {code_of(owed.news[0])}: {vi} · {en}"


def _body(owed: Owed, base_url: str) -> str:
    lines = []
    for one in owed.news:
        vi, en = _WORDS[NoticeKind(one.kind)]
        where = f"/handoff/cases/{one.case_id}" if one.case_id else "/handoff#alerts"
        lines += [f"{code_of(one)}: {vi} · {en} (#{one.sequence})", f"  {base_url}{where}", ""]
    return "\n".join([*_OPENING, "", *lines, *_CLOSING, ""])


_WORDS: Final = {
    NoticeKind.CASE_OPENED: ("ca mới", "new case"),
    NoticeKind.CASE_CONFIRMED: ("đã khẳng định", "confirmed"),
    NoticeKind.CASE_CORRECTED: ("đính chính", "correction"),
    NoticeKind.CASE_CLOSED: ("đã hết cách ly", "released from isolation"),
    NoticeKind.ALERT_RAISED: ("cảnh báo sớm", "early warning"),
    NoticeKind.ALERT_UPDATED: ("cảnh báo sớm có thay đổi", "early warning, changed"),
}
_OPENING: Final = (
    "Mở đường dẫn và đăng nhập để xem, rồi bấm nhận ca. Thư này không có tên hay số điện thoại.",
    "Open the link and sign in to see it, then claim it. This letter names nobody.",
)
_CLOSING: Final = (
    "Thư tự động, xin đừng trả lời. Ca chưa ai nhận sẽ được báo lên cấp trên.",
    "Automatic, please do not reply. What nobody claims is told to the next level.",
)


def _code(code: int) -> int | None:
    """Of a refusal: half a line, cut off in time, may read as a code that says taken."""
    return code if 400 <= code < 600 else None


def _name(failure: Exception) -> str:
    return "Timeout" if isinstance(failure, TimeoutError) else type(failure).__name__


def _text(said: bytes | str) -> str:
    return (said.decode(errors="replace") if isinstance(said, bytes) else said)[:LONGEST_ERROR]


def _since_ms(began: float) -> int:
    return round((monotonic() - began) * 1000)
