"""Delivery to hospitals: what answers lead to, in what order, and what silence does."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from instruments.hl7.message import Message
from lims.domain.exchange import DestinationKind
from lims.exchange.deliver import Pace
from lims.exchange.oru import mllp_line
from lims.exchange.oru.hospital import Hospital as Speaker
from lims.work.outbound import lease, owed_now, send_again
from tests.exchange.laboratories import Lab
from tests.exchange.receivers import accept, ack, receiver
from tests.until import WITHIN_S, until


def test_one_that_cannot_now_gets_the_same_message_again(lab: Lab) -> None:
    def first_not(number: int, message: Message) -> bytes:
        return ack(message, "AE" if number == 1 else "AA")

    with receiver(first_not) as his:
        lab.hospital(his.port)
        lab.negatives(1)
        lab.deliver()
        assert lab.rows() == [("F", "owed", 1)]
        assert lab.destination().failures == 1
        lab.clock.later(1)
        lab.deliver()
    assert lab.rows() == [("F", "delivered", 2)]
    assert his.blocks[0] == his.blocks[1]
    assert lab.destination().failures == 0


@pytest.mark.parametrize(
    ("code", "reason", "state"),
    [
        ("AR", "", "dead"),
        ("AE", "204^Unknown key identifier^HL70357", "dead"),
        ("AR", "207^Application internal error^HL70357", "owed"),
        ("AE", "", "owed"),
        ("CA", "", "delivered"),
    ],
)
def test_what_an_answer_leads_to(lab: Lab, code: str, reason: str, state: str) -> None:
    def answer(_number: int, message: Message) -> bytes:
        return ack(message, code, reason=reason, said="không có mã này")

    with receiver(answer) as his:
        lab.hospital(his.port)
        lab.negatives(1)
        lab.deliver()
    assert lab.rows() == [("F", state, 1)]


def test_what_is_refused_for_good_holds_nobody_up_and_can_be_sent_again(lab: Lab) -> None:
    def first_never(number: int, message: Message) -> bytes:
        return ack(message, "AR" if number == 1 else "AA")

    with receiver(first_never) as his:
        hospital = lab.hospital(his.port)
        lab.negatives(3)
        lab.deliver()
        assert sorted(row[1] for row in lab.rows()) == ["dead", "delivered", "delivered"]
        with lab.laboratory.sessions.begin() as session:
            assert send_again(session, hospital, by="user:admin", now=lab.clock.now) == 1
        lab.deliver()
    assert {row[1] for row in lab.rows()} == {"delivered"}
    assert len(his.ids) == 4


def test_an_answer_about_another_message_is_no_answer(lab: Lab) -> None:
    with receiver(lambda _n, message: ack(message, about="SOMETHING")) as his:
        lab.hospital(his.port)
        lab.negatives(1)
        lab.deliver()
    assert lab.rows() == [("F", "owed", 0)]
    assert lab.destination().last_error == "no answer within 1 s"


def test_nothing_dies_of_a_receiver_that_is_away(lab: Lab) -> None:
    with receiver() as his:
        port = his.port
    lab.hospital(port)
    lab.negatives(2)
    for _ in range(8):
        lab.deliver()
        lab.clock.later(60)
    away = lab.destination()
    assert (away.failures, away.failing_since is not None) == (8, True)
    assert lab.rows() == [("F", "owed", 0)] * 2
    with receiver(port=port) as his:
        lab.deliver()
    assert {row[1] for row in lab.rows()} == {"delivered"}
    assert len(set(his.ids)) == 2


def test_a_line_that_breaks_before_the_answer_gets_the_same_message_again(lab: Lab) -> None:
    with receiver(lambda n, m: None if n == 1 else accept(n, m)) as his:
        lab.hospital(his.port)
        lab.negatives(1)
        lab.deliver()
        lab.clock.later(1)
        lab.deliver()
    assert his.blocks[0] == his.blocks[1]
    assert lab.rows() == [("F", "delivered", 1)]


def test_a_message_that_a_receiver_never_answers_holds_up_nobody_else_s(lab: Lab) -> None:
    """A receiver that falls over one message, and answers every other."""

    def falls_over_the_first(_number: int, message: Message) -> bytes | None:
        return None if message.control_id == his.ids[0] else ack(message)

    with receiver(falls_over_the_first) as his:
        lab.hospital(his.port)
        lab.negatives(3)
        lab.deliver()
        lab.clock.later(1)
        lab.deliver()
        assert sorted(row[1] for row in lab.rows()) == ["delivered", "delivered", "owed"]
        assert (lab.destination().failures, lab.destination().answered_at is not None) == (1, True)
        lab.negatives(1)
        for _ in range(2):
            lab.clock.later(1)
            lab.deliver()
    assert sorted(lab.rows()) == [("F", "delivered", 1)] * 3 + [("F", "owed", 0)]


def test_one_sender_at_a_time_has_a_destination_and_a_dead_ones_lease_runs_out(lab: Lab) -> None:
    lab.hospital(2575)
    lab.negatives(1)
    lab.bench.session.commit()
    kinds = [DestinationKind.ORU]
    now = lab.bench.now

    def take(at: datetime) -> bool:
        with lab.laboratory.sessions.begin() as session:
            return lease(session, at, 60, site_id=lab.bench.site_id, kinds=kinds) is not None

    assert take(now)
    assert not take(now + timedelta(seconds=59))
    assert take(now + timedelta(seconds=61))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A hospital's own, for 127.0.0.1, signed by nobody else."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=his -addext"
    named = ["subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(
        ["/usr/bin/openssl", *words.split(), *named],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.mark.parametrize("trusted", [True, False])
def test_with_tls_only_the_one_that_was_agreed_on_is_told(
    lab: Lab, certificate: tuple[Path, Path], trusted: bool
) -> None:
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with receiver(tls=context) as his:
        lab.hospital(his.port, tls=True, certificate=cert.read_text() if trusted else "")
        lab.negatives(1)
        lab.deliver()
    assert lab.rows() == [("F", "delivered" if trusted else "owed", int(trusted))]
    assert bool(his.blocks) is trusted
    if not trusted:
        assert "CERTIFICATE_VERIFY_FAILED" in lab.destination().last_error


def test_names_never_cross_the_open_internet_in_the_clear(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mllp_line, "is_public", lambda _address: True)
    with receiver() as his:
        lab.hospital(his.port)
        lab.negatives(1)
        lab.deliver()
    assert his.blocks == []
    assert lab.destination().last_error == "refused: without TLS only inside a private network"


def test_a_sender_that_dies_between_telling_and_writing_down_tells_the_same_again(
    lab: Lab,
) -> None:
    with receiver() as his:
        lab.hospital(his.port)
        lab.negatives(2)
        lab.bench.session.commit()
        kinds, speaker = [DestinationKind.ORU], Speaker(answer_s=1.0)
        with lab.laboratory.sessions.begin() as session:
            leased = lease(session, lab.bench.now, 60, site_id=lab.bench.site_id, kinds=kinds)
            assert leased is not None
            owing = owed_now(session, leased, lab.bench.now, 10)
            payloads = speaker.compose(session, leased, owing)
        with speaker.line(leased) as tell:
            for payload in payloads:
                tell([payload])  # and here the power goes
        lab.clock.now = lab.bench.now
        lab.clock.later(2)
        lab.deliver()
    assert his.blocks[:2] == his.blocks[2:]
    assert {row[1] for row in lab.rows()} == {"delivered"}


@contextmanager
def running(lab: Lab) -> Iterator[None]:
    stop = threading.Event()
    deliverer = lab.deliverer(pace=Pace(lines=2, batch=5))
    thread = threading.Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive(), "the deliverer did not stop"


def test_what_is_owed_while_the_deliverer_sleeps_goes_out_at_once(lab: Lab) -> None:
    with receiver() as his:
        lab.hospital(his.port)
        with running(lab):
            lab.negatives(7)
            lab.clock.now = lab.bench.now
            lab.bench.session.commit()
            until(lambda: {row[1] for row in lab.rows()} == {"delivered"}, "the seven")
    assert len(set(his.ids)) == len(his.ids) == 7
    assert his.lines == 1


def test_a_hospital_that_is_away_delays_no_other(lab: Lab) -> None:
    with receiver() as gone:
        port = gone.port
    with receiver() as his:
        lab.hospital(port)
        lab.hospital(his.port)
        lab.negatives(3)
        lab.deliver()
        assert len(his.ids) == 3
    assert sorted(row[1] for row in lab.rows()) == ["delivered"] * 3 + ["owed"] * 3
