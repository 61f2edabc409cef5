"""The speaker of ORU^R01 over MLLP."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.exchange.oru.message import oru
from lims.exchange.oru.mllp_line import ANSWER_S, mllp_line
from lims.exchange.speaker import Payload, Tell
from lims.exchange.swab_words import read_words
from lims.tables import Destination, Site
from lims.work.outbound import Leased, Owing


class Hospital:
    """Findings to a hospital's or a province's system."""

    at_once = 1

    def __init__(self, *, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s

    def compose(
        self, session: Session, leased: Leased, owing: Sequence[Owing]
    ) -> Sequence[Payload]:
        facility = session.execute(
            select(Site.prefix)
            .join(Destination, Destination.site_id == Site.id)
            .where(Destination.id == leased.destination_id)
        ).scalar_one()
        to = leased.options.get("application", ""), leased.options.get("facility", "")
        told = [(one, one.finding_id) for one in owing if one.finding_id is not None]
        words = read_words(session, [finding for _, finding in told])
        return [
            oru(
                words[finding],
                one.says,
                outbound_id=one.outbound_id,
                owed_at=one.created_at,
                facility=facility,
                to=to,
            )
            for one, finding in told
        ]

    def line(self, leased: Leased) -> AbstractContextManager[Tell]:
        return mllp_line(leased, answer_s=self._answer_s)
