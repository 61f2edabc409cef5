"""What a watcher of the demonstration sees of the cases that no office claims."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from lims.demo.escalation import Escalation, escalation
from lims.demo.on_call import put_on_call, shorten
from lims.domain.escalation import Step
from lims.work.claim import claim
from lims.work.escalate import escalate
from tests.builders_handoff import ward


def test_a_case_that_lapses_is_told_on_minute_by_minute_until_somebody_claims_it(
    session: Session, now: datetime
) -> None:
    here = ward(session, now)
    shorten(session, site_id=here.site_id, by="demo", now=now)
    team, desk = here.team(), here.team("Trực toàn quốc")
    put_on_call(session, team, site_id=here.site_id, by="demo", now=now)
    here.board(team=desk, area=None)
    case = here.case()
    here.owe(here.board(team=team), case=case)
    assert escalation(session.connection()) == Escalation(unclaimed=1)

    def after(minutes: int) -> list[Step]:
        escalate(session, now + timedelta(minutes=minutes), site_id=here.site_id)
        return list(escalation(session.connection()).steps)

    assert after(1) == [Step.ROSTER]
    assert escalation(session.connection()).to_ring == 1
    assert after(3) == [Step.ROSTER, Step.NATION, Step.VOICE]

    claim(session, case, team, by="demo", now=now + timedelta(minutes=4))
    seen = escalation(session.connection())
    assert (seen.unclaimed, seen.to_ring) == (0, 0)
