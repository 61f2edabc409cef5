"""Wrong states that no statement can store, whichever program sends it."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests.builders import HOME, Bench, open_bench

WRONG_PERSON = {
    "a well with the tube of another order": "UPDATE well SET tube_id ="
    " (SELECT t.id FROM tube t WHERE t.id <> well.tube_id LIMIT 1) WHERE role = 'specimen'",
    "a result with the tube of another order": "UPDATE result SET tube_id ="
    " (SELECT t.id FROM tube t WHERE t.id <> result.tube_id LIMIT 1)",
    "a measurement with the tube of another order": "UPDATE measurement SET tube_id ="
    " (SELECT t.id FROM tube t WHERE t.id <> measurement.tube_id LIMIT 1)"
    " WHERE standing = 'matched'",
    "a finding about another person than the swab's": "UPDATE finding SET person_id ="
    " (SELECT p.id FROM person p WHERE p.id <> finding.person_id LIMIT 1)"
    " WHERE NOT EXISTS (SELECT FROM f0_case c WHERE c.finding_id = finding.id)",
    "a case of another person than its finding's": "UPDATE f0_case SET person_id ="
    " (SELECT p.id FROM person p WHERE p.id <> f0_case.person_id LIMIT 1)",
    "a swab given to another person under its finding": "UPDATE specimen SET person_id ="
    " (SELECT p.id FROM person p WHERE p.id <> specimen.person_id LIMIT 1)",
}
WRONG_STATE = {
    "a final finding that nobody released": "UPDATE finding SET status = 'F', released_at = NULL,"
    " released_by = NULL",
    "a release without a name": "UPDATE finding SET released_by = NULL"
    " WHERE released_at IS NOT NULL",
    "a tube received and rejected at once": "UPDATE tube SET rejected_at = now(),"
    " reject_reason = 'x' WHERE state = 'received'",
    "a rejected tube without a reason": "UPDATE tube SET state = 'rejected'",
    "a tube that came by nobody's hand": "UPDATE tube SET received_by = NULL",
    "a valid run that was not judged": "UPDATE run SET judged_at = NULL, verdict_why = NULL",
    "a valid run without a verdict": "UPDATE run SET verdict = NULL",
    "a run with an unknown verdict": "UPDATE run SET verdict = 'fine'",
    "a clock ahead of a time that was not told": "INSERT INTO raw_message (id, site_id,"
    " instrument_id, digest, driver, driver_version, body, state, captured_at, stored_at, receipt,"
    " clock_ahead_s) SELECT gen_random_uuid(), site_id, instrument_id, repeat('1', 64), driver,"
    " driver_version, body, state, captured_at, stored_at, receipt, 5 FROM raw_message LIMIT 1",
    "a planned run with a verdict": "UPDATE run SET state = 'planned'",
    "a closed order without its end": "UPDATE test_order SET closed_at = NULL"
    " WHERE state = 'resulted'",
    "a waiting order that has ended": "UPDATE test_order SET state = 'queued'"
    " WHERE closed_at IS NOT NULL",
    "a matched measurement without an order": "UPDATE measurement SET order_id = NULL,"
    " tube_id = NULL WHERE standing = 'matched'",
    "a control with an order": "UPDATE measurement SET order_id ="
    " (SELECT id FROM test_order LIMIT 1) WHERE standing = 'control'",
    "a measurement of an unknown role": "UPDATE measurement SET role = 'banana'",
    "a cancelled result that counts": "UPDATE result SET status = 'X'",
    "a held result that does not count": "UPDATE result SET current = false, held = true",
    "a case before its first word": "UPDATE f0_case SET sequence = 0",
    "a notice before its first word": "UPDATE notice SET sequence = 0",
    "a notice tried fewer than no times": "UPDATE notice SET attempts = -1",
    "a zeroth delivery": "INSERT INTO delivery (id, notice_id, attempt, at, took_ms)"
    " SELECT gen_random_uuid(), id, 0, now(), 1 FROM notice LIMIT 1",
    "a workplace that nobody named in doubt": "INSERT INTO address_doubt (id, site_id, person_id,"
    " kind, created_at) SELECT gen_random_uuid(), site_id, id, 'work', now() FROM person LIMIT 1",
    "an address settled without a unit": "INSERT INTO address_doubt (id, site_id, person_id, kind,"
    " created_at, settled_at, settled_by) SELECT gen_random_uuid(), site_id, id, 'home', now(),"
    " now(), 'x' FROM person LIMIT 1",
    "a claim that ended before it began": "INSERT INTO claim (id, site_id, case_id, team_id,"
    " claimed_by, claimed_at, ended_at) SELECT gen_random_uuid(), c.site_id, c.id, t.id, 'x',"
    " now(), now() - interval '1 day' FROM f0_case c, team t LIMIT 1",
}
WRONG_CONTENT = {
    "other readings": "UPDATE measurement SET targets = '[]'",
    "another specimen text": "UPDATE measurement SET specimen_text = 'x'",
    "another digest of the content": "UPDATE measurement SET content = 'x'",
    "an error that was not reported": "UPDATE measurement SET error = 'x'",
    "flags that were not sent": "UPDATE measurement SET flags = '{NOAMP}'",
    "another time of sending": "UPDATE raw_message SET sent_text = '2021-07-13'",
    "other bytes": "UPDATE raw_message SET body = 'x'",
    "another digest of the bytes": "UPDATE raw_message SET digest = repeat('0', 64)",
    "an emptied record of who did what": "TRUNCATE audit_event",
}


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    """One positive and one negative, a case and its notices."""
    bench = open_bench(session, now)
    bench.subscribe(HOME)
    positive, _negative = bench.swab(), bench.swab(name="Lê Văn Hùng")
    bench.run({positive.barcode: 24.0})
    return bench


@pytest.mark.parametrize("statement", WRONG_PERSON.values(), ids=WRONG_PERSON)
def test_nothing_said_of_one_tube_or_person_can_be_stored_under_another(
    bench: Bench, statement: str
) -> None:
    with pytest.raises(IntegrityError, match="foreign key"):
        bench.session.execute(text(statement))


@pytest.mark.parametrize("statement", WRONG_STATE.values(), ids=WRONG_STATE)
def test_a_state_without_what_makes_it_true_cannot_be_stored(bench: Bench, statement: str) -> None:
    with pytest.raises(IntegrityError, match="check constraint"):
        bench.session.execute(text(statement))


@pytest.mark.parametrize("statement", WRONG_CONTENT.values(), ids=WRONG_CONTENT)
def test_what_an_instrument_said_and_who_did_what_cannot_be_rewritten(
    bench: Bench, statement: str
) -> None:
    with pytest.raises(DBAPIError, match=r"kept as it came|append-only"):
        bench.session.execute(text(statement))


def test_the_standing_of_a_measurement_may_change_though_its_values_may_not(bench: Bench) -> None:
    changed = bench.session.execute(
        text(
            "UPDATE measurement SET standing = 'dismissed', why = 'x'"
            " WHERE standing = 'matched' RETURNING id"
        )
    )
    assert len(changed.all()) == 2
