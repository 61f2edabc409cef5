"""Beside the deliverer: makes the lists whose hour has come, sends word of them, and lets go of
those that expired.

In a thread of its own, since drawing a long list takes seconds and a notice does not wait for it;
the drawing is done by a child process, and no connection is held meanwhile. The e-mail says that a
list is ready and where, never who is on it; sent twice, it is one letter to a mailbox.
"""

from __future__ import annotations

import threading
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from time import monotonic
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.domain.telling import MailServer, is_mail_address
from lims.notify.email import EmailSender
from lims.work.delivery import Attempt
from lims.work.kept_lists import expire_lists
from lims.work.scheduled_lists import OwedWord, make_due_lists, owed_words, word_sent

log = structlog.get_logger()

LOOK_EVERY_S: Final = 20.0
_MAIL_PAUSE_S: Final = 300.0  # after a letter that was not taken
_NO_SUCH_MAILBOX: Final = 553  # RFC 5321: the name of the mailbox is not allowed
_SAID: Final = {
    "vi": (
        "Danh sách F0 đã sẵn sàng: {cases} ca",
        "Danh sách theo giờ hẹn đã lập xong. Đăng nhập để tải, trước {until}:\n{link}\n\n"
        "Thư này không có tên ai.\n",
    ),
    "en": (
        "A list of F0 is ready: {cases} cases",
        "The list of the set hour is made. Sign in to take it, before {until}:\n{link}\n\n"
        "Nobody's name is in this letter.\n",
    ),
}


class Maker:
    """Looks at the clock for as long as it is entered. Leaving waits for what was begun."""

    def __init__(self, laboratory: Laboratory, base_url: str, mail: MailServer | None) -> None:
        self._lab = laboratory
        self._base_url = base_url.rstrip("/")
        self._from = mail.sender if mail else None
        self._sender = EmailSender(base_url, mail)
        self._mail_again_at = float("-inf")
        self._aside: dict[UUID, float] = {}  # lists whose mailbox was refused, until when
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standing-lists")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> int:
        """One look at the clock; how many lists were made."""
        lab, now = self._lab, self._lab.clock()
        with lab.sessions.begin() as session:
            expire_lists(session, now=now)
        made = make_due_lists(lab.sessions, site_id=lab.site_id, timezone=lab.timezone, now=now)
        if self._from is not None and monotonic() >= self._mail_again_at:
            self._send_words(self._from)
        return made

    def _send_words(self, sender: str) -> None:
        """What one mailbox refuses waits alone; a server that does not answer lets all wait."""
        self._aside = {one: at for one, at in self._aside.items() if at > monotonic()}
        with self._lab.sessions.begin() as session:
            owed = owed_words(session, aside=self._aside)
        for word in owed:
            now = self._lab.clock()
            attempt = self._told(word, sender)
            if attempt.accepted:
                with self._lab.sessions.begin() as session:
                    word_sent(session, word.list_id, now=now)
                continue
            log.warning("lists.word_not_sent", list=str(word.list_id), error=attempt.error)
            again_at = monotonic() + _MAIL_PAUSE_S
            if attempt.status_code is None:
                self._mail_again_at = again_at
                return
            self._aside[word.list_id] = again_at

    def _told(self, word: OwedWord, sender: str) -> Attempt:
        if not is_mail_address(word.email):  # of an order from before they were looked at closely
            return Attempt(_NO_SUCH_MAILBOX, "no address that can be written to", 0)
        return self._sender.post(letter(word, self._base_url, sender, self._lab))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                made = self.look()
            except DATABASE_AWAY as failure:
                log.warning("lists.database_away", error=type(failure).__name__)
            except Exception as failure:  # ours; the thread must not end
                log.error("lists.failed", exc_info=failure)
            else:
                if made:
                    log.info("lists.made", lists=made)
            self._stop.wait(LOOK_EVERY_S)


def letter(word: OwedWord, base_url: str, sender: str, laboratory: Laboratory) -> EmailMessage:
    """The word that a list is ready, in the language of its order."""
    subject, body = _SAID[word.language]
    until = word.expires_at.astimezone(ZoneInfo(laboratory.timezone))
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = sender, word.email
    made["Subject"] = subject.format(cases=word.cases)
    made["Date"] = format_datetime(laboratory.clock())
    made["Message-ID"] = f"<{word.list_id}@{urlsplit(base_url).hostname or 'localhost'}>"
    link = f"{base_url}/handoff/lists/{word.list_id}"
    made.set_content(body.format(until=f"{until:%d/%m %H:%M}", link=link))
    return made
