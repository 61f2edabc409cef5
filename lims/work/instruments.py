"""The analysers of the site: a gateway's messages are taken under the name given here."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.drivers.exports import ALL_DRIVERS
from lims.db.ids import uuid7
from lims.domain.refusals import NotFound
from lims.tables import Instrument
from lims.work.access import Fault, refuse
from lims.work.audit import record

OWN_PROFILE: Final = "profile"  # the laboratory wrote down itself how its messages are read
READ_BY: Final = frozenset(ALL_DRIVERS) | {OWN_PROFILE}
_MOST_CHARACTERS: Final = 60


def add_instrument(
    session: Session, *, site_id: UUID, name: str, driver: str, by: str, now: datetime
) -> UUID:
    """Take messages of this analyser from now on; they wait at the gateway until then.

    ``name`` is what its gateway says, unique over all sites of a hub. Raises InvalidBody.
    """
    name, faults = name.strip(), dict[str, Fault]()
    if not 1 <= len(name) <= _MOST_CHARACTERS:
        faults["name"] = Fault.NAME
    elif session.scalar(select(Instrument.id).where(Instrument.name == name)):
        faults["name"] = Fault.NAME_TAKEN
    if driver not in READ_BY:
        faults["driver"] = Fault.DRIVER
    refuse(faults, where="instrument")
    instrument = Instrument(
        id=uuid7(), site_id=site_id, name=name, driver=driver, active=True, created_at=now
    )
    session.add(instrument)
    _record(session, instrument, "instrument-added", by, now, name=name, driver=driver)
    session.flush()
    return instrument.id


def set_instrument_driver(
    session: Session, instrument_id: UUID, driver: str, *, by: str, now: datetime
) -> None:
    """What it really is: whether its own word counts follows from it, for what comes from now on
    and for what a reviewer attaches. Raises NotFound, InvalidBody."""
    if driver not in READ_BY:
        refuse({"driver": Fault.DRIVER}, where="instrument")
    instrument = session.get(Instrument, instrument_id, with_for_update=True)
    if instrument is None:
        raise NotFound(came=str(instrument_id), where="instruments")
    if instrument.driver != driver:
        was, instrument.driver = instrument.driver, driver
        _record(session, instrument, "instrument-driver-set", by, now, driver=driver, was=was)


def set_instrument_active(
    session: Session, instrument_id: UUID, active: bool, *, by: str, now: datetime
) -> None:
    """Out of use: its messages are refused and kept at the gateway. Raises NotFound."""
    instrument = session.get(Instrument, instrument_id, with_for_update=True)
    if instrument is None:
        raise NotFound(came=str(instrument_id), where="instruments")
    if instrument.active != active:
        instrument.active = active
        verb = "instrument-activated" if active else "instrument-deactivated"
        _record(session, instrument, verb, by, now)


def _record(
    session: Session,
    instrument: Instrument,
    verb: str,
    by: str,
    now: datetime,
    **detail: object,
) -> None:
    record(
        session,
        site_id=instrument.site_id,
        actor=by,
        verb=verb,
        subject=str(instrument.id),
        now=now,
        **detail,
    )
