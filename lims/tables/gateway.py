"""The gateways beside the analysers: how each of their lines stood when they last said so."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.gateways import LineState
from lims.tables.base import Base, SiteRef, one_of


class GatewayLine(Base):
    """The latest state only, replaced at each heartbeat. ``instrument`` is what the gateway calls
    it, which need not be set up here. Times but ``heard_at`` are by the gateway's clock."""

    __tablename__ = "gateway_line"
    __table_args__ = (
        one_of("state", LineState),
        CheckConstraint("length(gateway) BETWEEN 1 AND 60", name="gateway"),
        CheckConstraint("length(instrument) BETWEEN 1 AND 60", name="instrument"),
        CheckConstraint(
            "journal_bytes >= 0 AND waiting >= 0 AND dead >= 0 AND quarantined >= 0", name="counts"
        ),
    )
    site_id: Mapped[SiteRef] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True)
    instrument: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    driver: Mapped[str]
    link: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime]
    last_byte_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    journal_bytes: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[int]
    dead: Mapped[int]
    quarantined: Mapped[int]
    trouble: Mapped[str | None]
    detail: Mapped[str]
    heard_at: Mapped[datetime]
