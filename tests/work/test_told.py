"""What a team pulls is complete: a cursor never steps over a notice that commits late."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.work.told import told_since
from tests.builders import open_bench

OWE = text(
    "INSERT INTO notice (id, site_id, subscription_id, kind, pool_id, sequence, facts, state,"
    " attempts, next_attempt_at, created_at) SELECT :id, s.site_id, s.id, 'alert.raised', t.id,"
    " :nth, '{}', 'owed', 0, now(), now() FROM subscription s, tube t LIMIT 1"
)


def _a_notice(session: Session, nth: int, at: datetime) -> UUID:
    minted = uuid7(int(at.timestamp() * 1000))
    session.execute(OWE, {"id": minted, "nth": nth})
    return minted


def test_a_notice_that_commits_late_is_not_stepped_over(
    database: Engine, session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    bench.swab()
    session.commit()
    sessions = session_factory(database)
    with sessions() as late, sessions() as early:
        begun = datetime.now(UTC)
        first = _a_notice(late, 1, begun)
        second = _a_notice(early, 2, begun + timedelta(milliseconds=1))
        early.commit()
        seen_while_running = told_since(session, None, None).notices
        session.rollback()
        late.commit()
    with sessions() as reader:
        reader.execute(text("SELECT pg_sleep(1.1)"))  # the clock margin of told_since
        seen = [told.notice_id for told in told_since(reader, None, None).notices]
    assert seen_while_running == []
    assert seen == [first, second]
