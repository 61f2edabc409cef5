"""Letters to a real mail server on a socket: thin, recognised when repeated, never unprotected."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import Engine
from sqlalchemy.orm import Session as Database

from lims.domain.outcomes import NoticeKind
from lims.domain.telling import Channel, MailServer, Protection
from lims.notify.deliver import Deliverer
from lims.notify.email import EmailSender, written
from lims.notify.ways import Ways
from lims.notify.webhook import WebhookSender
from lims.tables import Notice, Subscription
from lims.work.owed import News, Owed
from tests.builders_handoff import laboratory, ward
from tests.until import WITHIN_S

BASE = "https://lims.test"
CASE = UUID("0197f3a0-0000-7000-8000-0000000000aa")


@dataclass
class Mailbox:
    """Takes letters, or answers RCPT with `refuses` (`only` to this one); whom it was asked for is
    in `asked`, who signed in in `logins`."""

    letters: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: str | None = None
    only: str | None = None
    asked: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: list[str]
    ) -> str:
        self.asked.append(to)
        if self.refuses and self.only in {None, to}:
            return self.refuses
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        letter = message_from_bytes(raw, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 taken"

    def authenticate(
        self, _server: SMTP, _s: Session, _e: Envelope, _how: str, said: object
    ) -> AuthResult:
        if isinstance(said, LoginPassword) and said.password == b"right":
            self.logins.append(said.login.decode())
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)


@contextmanager
def mail_server(box: Mailbox) -> Iterator[MailServer]:
    """A server on a thread of its own: a browser test of this process may keep a loop in ours."""
    loop = asyncio.new_event_loop()

    def session() -> SMTP:
        return SMTP(
            box,
            hostname="mail.test",
            authenticator=box.authenticate,
            auth_require_tls=False,
            loop=loop,
        )

    async def close(server: asyncio.Server) -> None:
        server.close()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.01)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = loop.create_server(session, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(opened, loop).result(WITHIN_S)
    try:
        port = server.sockets[0].getsockname()[1]
        yield MailServer("127.0.0.1", port, "thantoc@cdc.test", Protection.NONE)
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WITHIN_S)
        loop.close()


def news(kind: str = "case.opened", sequence: int = 1) -> News:
    return News(
        uuid4(), kind, CASE, None, sequence, {"basis": "pcr"}, datetime(2021, 9, 11, tzinfo=UTC)
    )


def owed(*held: News, to: str = "truyvet@quan.test") -> Owed:
    one = held[0]
    id = uuid4() if len(held) > 1 else one.notice_id
    return Owed(id, uuid4(), Channel.EMAIL, to, (), held, digest=len(held) > 1)


def sender(server: MailServer | None) -> EmailSender:
    return EmailSender(BASE, server, step_s=WITHIN_S, whole_s=WITHIN_S)


def utc_now() -> datetime:
    return datetime.now(UTC)


def test_a_letter_names_the_case_and_where_to_look_and_no_person() -> None:
    box, told = Mailbox(), owed(news())
    with mail_server(box) as server:
        attempt = sender(server).send(told, utc_now)
    assert (attempt.accepted, attempt.status_code) == (True, 250)
    (letter,) = box.letters
    text = letter.get_content()
    assert letter["Subject"] == "[Thần Tốc] F0-0000AA: ca mới · new case"
    assert f"{BASE}/handoff/cases/{CASE}" in text
    assert "đăng nhập" in text and "sign in" in text
    assert letter["Message-ID"] == f"<{told.message_id}@cdc.test>"
    assert letter["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_its_words(kind: NoticeKind) -> None:
    letter = written(owed(news(kind)), BASE, "thantoc@cdc.test", utc_now())
    assert "·" in letter["Subject"]


def test_sent_again_after_a_kill_it_is_the_same_letter_and_of_one_case_all_stand_together() -> None:
    box, told, corrected = Mailbox(), owed(news()), owed(news("case.corrected", 2))
    with mail_server(box) as server:
        for one in (told, told, corrected):
            sender(server).send(one, utc_now)
    ids = [letter["Message-ID"] for letter in box.letters]
    assert ids[0] == ids[1] != ids[2]
    assert len({letter["References"] for letter in box.letters}) == 1


def test_a_burst_is_one_letter() -> None:
    box = Mailbox()
    with mail_server(box) as server:
        sender(server).send(owed(news(), news("case.corrected", 2), news()), utc_now)
    (letter,) = box.letters
    assert letter["Subject"] == "[Thần Tốc] 3 thông báo, 1 đính chính · 3 notices, 1 corrected"
    assert letter.get_content().count(f"/handoff/cases/{CASE}") == 3


def test_it_signs_in_with_the_sites_own_login() -> None:
    box = Mailbox()
    with mail_server(box) as server:
        for password, taken in (("right", True), ("wrong", False)):
            there = MailServer(
                server.host, server.port, server.sender, Protection.NONE, "lims", password
            )
            assert sender(there).send(owed(news()), utc_now).accepted is taken
    assert (box.logins, len(box.letters)) == (["lims"], 1)


def test_without_the_starttls_that_was_agreed_nothing_is_said() -> None:
    box = Mailbox()
    with mail_server(box) as server:
        there = MailServer(server.host, server.port, server.sender, Protection.STARTTLS)
        attempt = sender(there).send(owed(news()), utc_now)
    assert not attempt.accepted
    assert "STARTTLS" in (attempt.error or "")
    assert box.letters == []


def test_a_mailbox_that_is_not_there_is_a_failure_with_the_servers_code() -> None:
    box = Mailbox(refuses="550 no such mailbox")
    with mail_server(box) as server:
        attempt = sender(server).send(owed(news()), utc_now)
    assert (attempt.status_code, attempt.error) == (550, "no such mailbox")


@pytest.mark.parametrize("to", ["a@b.test\nBcc: c@d.test", "a@b.test\r\nX: y"])
def test_an_address_cannot_bring_a_header_of_its_own(to: str) -> None:
    box = Mailbox()
    with mail_server(box) as server:
        attempt = sender(server).send(owed(news(), to=to), utc_now)
    assert (attempt.accepted, box.letters) == (False, [])


def test_a_site_without_a_mail_server_says_so() -> None:
    assert "LIMS_SMTP" in (sender(None).send(owed(news()), utc_now).error or "")


def test_a_mail_server_that_is_not_there_or_drips_is_left() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    there = MailServer("127.0.0.1", listening.getsockname()[1], "a@b.test", Protection.NONE)
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"220 here\r\n")
            while not over.wait(0.02):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    dripped = EmailSender(BASE, there, step_s=WITHIN_S, whole_s=0.3).send(owed(news()), utc_now)
    over.set()
    thread.join()
    listening.close()
    gone = sender(there).send(owed(news()), utc_now)
    for attempt in (dripped, gone):
        assert attempt.status_code is None
        assert attempt.error


def test_the_deliverer_writes_to_a_team_that_wants_letters(
    session: Database, database: Engine
) -> None:
    box, here = Mailbox(), ward(session, datetime.now(UTC))
    session.add(
        Subscription(
            id=(recipient := uuid4()),
            site_id=here.site_id,
            team_id=here.team(),
            channel="email",
            email="truyvet@quan.test",
            created_at=here.now,
        )
    )
    session.flush()
    notice = here.owe(recipient)
    session.commit()
    with mail_server(box) as server:
        ways = Ways(WebhookSender(BASE), sender(server))
        deliverer = Deliverer(laboratory(database, here.site_id), ways)
        assert deliverer.drain() == 1
        deliverer.close()
    assert box.letters[0]["To"] == "truyvet@quan.test"
    assert session.get_one(Notice, notice, populate_existing=True).state == "delivered"
