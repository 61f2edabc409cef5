"""What goes over the wire, and what becomes of every kind of answer."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from lims.domain.addresses import is_public
from lims.domain.telling import Channel, Failure, failure_of
from lims.notify import wire
from lims.notify.webhook import WebhookSender, headers, payload, retry_after_s
from lims.work.owed import News, Owed
from tests.builders_handoff import SECRET
from tests.notify.receivers import Answer, receiver
from tests.until import WITHIN_S

BASE = "https://lims.test"
NOTICE = UUID("0197f3a0-0000-7000-8000-000000000001")
CASE = UUID("0197f3a0-0000-7000-8000-000000000002")


def utc_now() -> datetime:
    return datetime.now(UTC)


def owed(url: str = "http://a.test/", *, secret: str = SECRET, pool: UUID | None = None) -> Owed:
    return message(NOTICE, url, secrets=(secret,), news=(news(pool=pool),))


def message(id: UUID, url: str, *, secrets: tuple[str, ...], news: tuple[News, ...]) -> Owed:
    return Owed(id, uuid4(), Channel.WEBHOOK, url, secrets, news, digest=len(news) > 1)


def news(id: UUID = NOTICE, *, pool: UUID | None = None) -> News:
    return News(
        notice_id=id,
        kind="case.opened" if pool is None else "alert.raised",
        case_id=CASE if pool is None else None,
        pool_id=pool,
        sequence=3,
        facts={"basis": "pcr", "sequence": 99, "url": "https://elsewhere.test"},
        created_at=datetime(2021, 9, 11, 1, 0, tzinfo=UTC),
    )


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    made = WebhookSender(
        BASE + "/", connect_s=WITHIN_S, read_s=WITHIN_S, whole_s=WITHIN_S, private=True
    )
    yield made
    made.close()


def test_a_thin_payload_names_the_case_by_id_and_where_to_fetch_it() -> None:
    assert json.loads(payload(owed(), BASE)) == {
        "type": "case.opened",
        "timestamp": "2021-09-11T01:00:00Z",
        "data": {
            "basis": "pcr",
            "case_id": str(CASE),
            "url": f"{BASE}/api/v1/cases/{CASE}",
            "sequence": 3,
        },
    }


def test_an_alert_names_its_pool() -> None:
    pool = uuid4()
    data = json.loads(payload(owed(pool=pool), BASE))["data"]
    assert data["pool_id"] == str(pool)
    assert data["url"] == f"{BASE}/handoff#alerts"
    assert "case_id" not in data


def test_the_receiver_can_verify_who_sent_it_and_knows_it_by_the_notice_id(
    sender: WebhookSender,
) -> None:
    with receiver() as team:
        attempt = sender.send(owed(team.url), utc_now)
    assert (attempt.status_code, attempt.error) == (204, None)
    assert team.ids == [f"msg_{NOTICE}"]
    assert team.said[0]["data"]["case_id"] == str(CASE)


def test_during_a_change_of_secrets_a_receiver_verifies_with_either(
    sender: WebhookSender,
) -> None:
    fresh = "whsec_" + b64encode(b"another secret of thirty-two by").decode()
    with receiver() as team:  # it knows the old one
        both = message(NOTICE, team.url, secrets=(fresh, SECRET), news=(news(),))
        assert sender.send(both, utc_now).accepted
    body = payload(both, BASE)
    said = headers(both, body, utc_now())
    assert Webhook(fresh).verify(body, said) == Webhook(SECRET).verify(body, said)
    only = headers(replace(both, secrets=(fresh,)), body, utc_now())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, only)


def test_a_certificate_that_nobody_vouches_for_is_a_failure_and_hears_nothing(
    sender: WebhookSender, tmp_path: Path
) -> None:
    heard: list[bytes] = []
    with encrypted(tmp_path, heard) as url:
        attempt = sender.send(owed(url), utc_now)
    assert attempt.status_code is None
    assert failure_of(attempt.status_code, attempt.error) is Failure.CERTIFICATE
    assert heard == []


def test_of_an_endless_answer_no_more_than_the_beginning_is_read(sender: WebhookSender) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    poured = 0

    def pour() -> None:
        nonlocal poured
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 500 Sorry\r\nContent-Length: 1000000000000\r\n\r\n")
            while True:
                poured += connection.send(b"x" * 65_536)

    thread = threading.Thread(target=pour)
    thread.start()
    attempt = sender.send(owed(f"http://127.0.0.1:{listening.getsockname()[1]}/"), utc_now)
    thread.join(WITHIN_S)
    listening.close()
    assert not thread.is_alive(), "the connection was kept"
    assert (attempt.status_code, attempt.error) == (500, "x" * 300)
    assert poured < 20 * 2**20


@contextmanager
def encrypted(folder: Path, heard: list[bytes]) -> Iterator[str]:
    """A receiver with a certificate of its own making."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            heard.append(context.wrap_socket(connection, server_side=True).recv(65_536))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"https://localhost:{listening.getsockname()[1]}/"
    finally:
        thread.join(WITHIN_S)
        listening.close()


def test_a_redirect_is_not_followed(sender: WebhookSender) -> None:
    with receiver() as other:
        moved = Answer(307, {"location": other.url})
        with receiver(lambda _n: moved) as team:
            attempt = sender.send(owed(team.url), utc_now)
    assert attempt.status_code == 307
    assert not attempt.accepted
    assert other.ids == []


def test_of_a_long_answer_only_the_beginning_is_kept(sender: WebhookSender) -> None:
    with receiver(lambda _n: Answer(500, body=b"\xff" + b"x" * 5_000)) as team:
        attempt = sender.send(owed(team.url), utc_now)
    assert attempt.error is not None
    assert len(attempt.error) == 300


def test_a_silent_receiver_and_a_closed_port_are_errors_without_a_status(
    sender: WebhookSender,
) -> None:
    impatient = WebhookSender(BASE, connect_s=WITHIN_S, read_s=0.3, private=True)
    with receiver(slow=True) as team:
        silent = impatient.send(owed(team.url), utc_now)
    impatient.close()
    closed = sender.send(owed(team.url), utc_now)
    assert (silent.status_code, closed.status_code) == (None, None)
    assert (silent.error or "").startswith("ReadTimeout")
    assert (closed.error or "").startswith("ConnectError")


@pytest.mark.parametrize("url", ["ftp://a.test/", "http://[", "not a url"])
def test_an_unusable_address_is_an_error_and_not_a_crash(sender: WebhookSender, url: str) -> None:
    assert sender.send(owed(url), utc_now).error


@pytest.mark.parametrize("secret", ["whsec_", "whsec_b", "whsec_đ"])
def test_an_unusable_secret_is_an_error_and_nothing_is_sent_unsigned(
    sender: WebhookSender, secret: str
) -> None:
    with receiver() as team:
        attempt = sender.send(owed(team.url, secret=secret), utc_now)
    assert (attempt.error or "").startswith("not signed")
    assert team.ids == []


@pytest.mark.parametrize(
    ("said_at_once", "status"),
    [
        (b"", None),
        (b"HTTP/1.1 500 Sorry\r\nX-Long: ", None),
        (b"HTTP/1.1 500 Sorry\r\nContent-Length: 100000\r\n\r\n", 500),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 200),
    ],
    ids=["status line", "header", "body of a failure", "body of a success"],
)
def test_a_receiver_that_drips_is_left_at_the_deadline(
    said_at_once: bytes, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds pass at every look at the clock, so that what was said at once is in time however
    slow the machine is, and the deadline comes after some thirty letters."""
    monkeypatch.setattr(wire, "monotonic", count(step=2).__next__)
    sender = WebhookSender(BASE, connect_s=60, read_s=60, whole_s=60, private=True)
    with dripping(said_at_once) as (url, hung_up):
        attempt = sender.send(owed(url), utc_now)
        assert attempt.status_code == status
        assert hung_up.wait(WITHIN_S), "the connection was kept"
    if status is None:
        assert (attempt.error or "").startswith("ReadTimeout")
    sender.close()


def test_a_receiver_in_a_private_network_is_a_failed_attempt_and_hears_nothing() -> None:
    strict = WebhookSender(BASE, connect_s=1, read_s=0.3)
    with receiver() as team:
        for scheme in ("http", "https"):
            port = team.url.split(":")[2]
            attempt = strict.send(owed(f"{scheme}://localhost:{port}"), utc_now)
            assert attempt.status_code is None
            assert "LIMS_WEBHOOK_PRIVATE=allow" in (attempt.error or "")
    strict.close()
    assert team.ids == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)
def test_only_an_address_of_the_open_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@contextmanager
def dripping(said_at_once: bytes) -> Iterator[tuple[str, threading.Event]]:
    """A receiver that says the first part, then a letter every 20 ms until it is hung up on."""
    listening = socket.create_server(("127.0.0.1", 0))
    hung_up, over = threading.Event(), threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, suppress(ConnectionError):
            connection.recv(65_536)
            connection.sendall(said_at_once)
            while not over.wait(0.02):
                connection.sendall(b"a")
        if not over.is_set():
            hung_up.set()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", hung_up
    finally:
        over.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sat, 11 Sep 2021 01:02:00 GMT", 120.0),
        ("Sat, 11 Sep 2021 00:00:00 GMT", 0.0),
        ("soon", None),
        (f"Sat, 11 Sep 2021 01:02:00 +{'9' * 30}", None),
        ("-5", None),
        ("²", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2021, 9, 11, 1, 0, tzinfo=UTC)) == seconds
