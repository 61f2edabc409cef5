"""What offices do wrong between a notice and a claim: it is said by name, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lims.db.laboratory import Laboratory
from lims.domain.retries import RetryPlan
from lims.domain.telling import Failure
from lims.notify.deliver import Deliverer
from lims.notify.email import EmailSender
from lims.notify.ways import Ways
from lims.notify.webhook import WebhookSender
from lims.tables import AuditEvent, Claim, Delivery, Notice
from lims.work.claim import AlreadyClaimed, claim, take_over
from tests.builders_handoff import Ward, laboratory, ward
from tests.notify.receivers import Answer, receiver
from tests.notify.test_webhook import encrypted
from tests.until import WITHIN_S, until

BASE = "https://lims.test"
PATIENT = RetryPlan(waits_s=(0.1,) * 5_000, jitter=0.0)  # of a laden machine none is given up


@pytest.fixture
def here(session: Session) -> Ward:
    """Real time: receivers refuse a timestamp more than five minutes off."""
    return ward(session, datetime.now(UTC))


@pytest.fixture
def lab(database: Engine, here: Ward) -> Laboratory:
    here.session.commit()
    return laboratory(database, here.site_id)


@contextmanager
def delivering(lab: Laboratory, *, read_s: float = WITHIN_S) -> Iterator[None]:
    stop = threading.Event()
    sender = WebhookSender(BASE, connect_s=WITHIN_S, read_s=read_s, whole_s=WITHIN_S, private=True)
    deliverer = Deliverer(lab, Ways(sender, EmailSender(BASE, None)), plan=PATIENT, rng=Random(1))
    thread = threading.Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(WITHIN_S)
        deliverer.close()
        assert not thread.is_alive(), "the deliverer did not stop"


def kept(lab: Laboratory, notice: UUID) -> Notice:
    with lab.sessions() as session:
        return session.get_one(Notice, notice)


def attempts(lab: Laboratory, notice: UUID) -> int:
    with lab.sessions() as session:
        tried = select(func.count()).select_from(Delivery).where(Delivery.notice_id == notice)
        return session.scalar(tried) or 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda _elsewhere: Answer(500, body=b"Traceback"), Failure.BROKEN),
        (lambda elsewhere: Answer(302, {"location": elsewhere}), Failure.REDIRECTED),
        (lambda _elsewhere: Answer(500, body=b"x" * 5_000_000), Failure.BROKEN),
        (lambda _elsewhere: Answer(429), Failure.BUSY),
    ],
    ids=["answers 500", "redirects to a private address", "pours out a huge body", "is busy"],
)
def test_an_office_that_answers_wrongly_is_named_for_it_and_gets_the_same_notice_when_it_is_well(
    here: Ward, lab: Laboratory, wrong: Callable[[str], Answer], why: Failure
) -> None:
    well = threading.Event()
    with receiver() as private, receiver() as good:
        ill = wrong(private.url)
        with receiver(lambda _n: Answer() if well.is_set() else ill) as bad:
            notice = here.owe(here.webhook(bad.url))
            other = here.owe(here.webhook(good.url))
            here.session.commit()
            with delivering(lab):
                until(lambda: kept(lab, notice).failure == why, f"{why} to be said")
                until(lambda: kept(lab, other).state == "delivered", "the other office")
                assert kept(lab, notice).state == "owed"
                well.set()
                until(lambda: kept(lab, notice).state == "delivered", "the office that is well now")
    assert set(bad.ids) == {f"msg_{notice}"}
    assert good.ids == [f"msg_{other}"]
    assert private.ids == []
    assert attempts(lab, notice) == len(bad.ids) >= 2


def test_an_office_that_hangs_is_too_slow_keeps_nobody_and_is_told_when_it_wakes(
    here: Ward, lab: Laboratory
) -> None:
    with receiver(slow=True) as hung, receiver() as good:
        stuck = here.owe(here.webhook(hung.url))
        others = [here.owe(here.webhook(f"{good.url}?{n}")) for n in range(3)]
        here.session.commit()
        with delivering(lab, read_s=1.0):
            until(lambda: kept(lab, stuck).failure == Failure.TOO_SLOW, "it to be called slow")
            until(lambda: all(kept(lab, n).state == "delivered" for n in others), "the others")
            assert kept(lab, stuck).state == "owed"
            hung.gate.set()
            until(lambda: kept(lab, stuck).state == "delivered", "the office that woke")
    assert set(hung.ids) == {f"msg_{stuck}"}
    assert set(good.ids) == {f"msg_{one}" for one in others}


def test_an_office_whose_certificate_nobody_vouches_for_hears_nothing_and_nothing_is_lost(
    here: Ward, lab: Laboratory, tmp_path: Path
) -> None:
    heard: list[bytes] = []
    with encrypted(tmp_path, heard) as url:
        notice = here.owe(here.webhook(url))
        here.session.commit()
        with delivering(lab):
            until(lambda: kept(lab, notice).failure == Failure.CERTIFICATE, "the certificate")
    assert (kept(lab, notice).state, heard) == ("owed", [])


def test_a_claim_sent_again_after_the_case_changed_hands_takes_nothing_back_and_says_who_has_it(
    here: Ward,
) -> None:
    ours, theirs = here.team("Tổ Dịch Vọng"), here.team("Tổ Cầu Giấy")
    case = here.case()
    later = [here.now + timedelta(minutes=n) for n in range(4)]
    first = claim(here.session, case, ours, by="token:tracing", now=later[0])
    again = claim(here.session, case, ours, by="token:tracing", now=later[1])
    assert (again.claim_id, again.claimed_at, again.replayed) == (first.claim_id, later[0], True)
    take_over(here.session, case, theirs, by="user:op", now=later[2], reason="cùng một hộ")
    with pytest.raises(AlreadyClaimed) as refused:
        claim(here.session, case, ours, by="token:tracing", now=later[3])
    assert (refused.value.team, refused.value.claimed_at) == ("Tổ Cầu Giấy", later[2])
    held = here.session.execute(
        select(Claim.team_id, Claim.ended_at).order_by(Claim.claimed_at)
    ).all()
    assert [tuple(row) for row in held] == [(ours, later[2]), (theirs, None)]
    verbs = here.session.scalars(
        select(AuditEvent.verb).where(AuditEvent.subject == str(case)).order_by(AuditEvent.at)
    ).all()
    assert verbs == ["claim", "claim-taken-over"]
