"""Which other systems are told of results, or asked: set one up, stop it, start it again."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.addresses import is_public_literal
from lims.domain.exchange import DestinationKind
from lims.domain.refusals import NotFound
from lims.tables import Destination
from lims.work.access import Fault, refuse
from lims.work.audit import record
from lims.work.owe_findings import owe_findings
from lims.work.subscribe import AreaKey
from lims.work.views.destinations import missing_of

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_NAMED: Final = re.compile(r"[^|^~\\&\x00-\x1f]{0,180}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{8,4096}")
_FACILITY: Final = re.compile(r"[0-9A-Za-z._-]{1,40}")
_PEM: Final = "-----BEGIN CERTIFICATE-----"
_LONGEST_PEM: Final = 100_000


@dataclass(frozen=True, slots=True)
class Hospital:
    """A receiver of ORU^R01 over MLLP, as an administrator writes it.

    ``application`` and ``facility`` are MSH-5 and MSH-6; ``certificate`` the PEM of who signed the
    receiver's, where no public authority did.
    """

    host: str
    port: int | None
    tls: bool
    application: str = ""
    facility: str = ""
    certificate: str = ""

    kind: ClassVar[DestinationKind] = DestinationKind.ORU

    @property
    def address(self) -> str:
        return f"mllp{'s' if self.tls else ''}://{self.host}:{self.port}"

    @property
    def options(self) -> dict[str, Any]:
        return {
            "application": self.application.strip(),
            "facility": self.facility.strip(),
            **_with_certificate(self.certificate),
        }

    def faults(self) -> dict[str, Fault]:
        """What cannot stand, by field."""
        faults: dict[str, Fault] = {}
        if not _HOST.fullmatch(self.host) or urlsplit(self.address).hostname is None:
            faults["host"] = Fault.HOST
        elif not self.tls and is_public_literal(self.host):
            faults["host"] = Fault.HOST_PRIVATE
        if self.port is None or not 1 <= self.port <= 65535:
            faults["port"] = Fault.PORT
        for field, said in (("application", self.application), ("facility", self.facility)):
            if not _NAMED.fullmatch(said.strip()):
                faults[field] = Fault.HL7_NAME
        return faults | _certificate_faults(self.certificate, tls=self.tls)


@dataclass(frozen=True, slots=True)
class Platform:
    """A national platform that speaks a contract of ours over HTTPS, as an administrator writes it.

    ``url`` is what its contract's paths hang under, ``laboratory`` the code that it knows us by.
    """

    url: str
    token: str
    laboratory: str
    certificate: str = ""

    kind: ClassVar[DestinationKind]

    @property
    def address(self) -> str:
        return self.url.strip().rstrip("/")

    @property
    def options(self) -> dict[str, Any]:
        return {
            "token": self.token.strip(),
            "laboratory": self.laboratory.strip(),
            **_with_certificate(self.certificate),
        }

    def faults(self) -> dict[str, Fault]:
        """What cannot stand, by field."""
        faults: dict[str, Fault] = {}
        if not _platform(self.address):
            faults["url"] = Fault.PLATFORM_URL
        if not _TOKEN.fullmatch(self.token.strip()):
            faults["token"] = Fault.PLATFORM_TOKEN
        if not _FACILITY.fullmatch(self.laboratory.strip()):
            faults["laboratory"] = Fault.FACILITY
        tls = self.address.startswith("https:")
        return faults | _certificate_faults(self.certificate, tls=tls)


class HealthBook(Platform):
    """Electronic health books: told every final word."""

    kind = DestinationKind.HEALTH_BOOK


class PopulationRegister(Platform):
    """The population database: asked whose a card number is."""

    kind = DestinationKind.POPULATION


class VaccinationRegister(Platform):
    """The register of vaccinations: asked which doses an F0 had."""

    kind = DestinationKind.VACCINATION


class AreaFigures(Platform):
    """An epidemic-zone app, which is told communes' figures and nobody's result."""

    kind = DestinationKind.AREA_FIGURES


class DeclarationPlatform(Platform):
    """A platform that people declare themselves to: it is asked what is new, and told nothing."""

    kind = DestinationKind.DECLARATIONS


def add_destination(
    session: Session,
    given: Hospital | Platform,
    *,
    site_id: UUID,
    name: str,
    area: AreaKey | None,
    by: str,
    now: datetime,
) -> UUID:
    """From now on it is owed what its kind wants of this area: every final word on its people, or
    the figures of its communes; a register or a platform is asked. Raises InvalidBody."""
    name = name.strip()
    faults = given.faults()
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    elif session.scalar(
        select(Destination.id).where(Destination.site_id == site_id, Destination.name == name)
    ):
        faults["name"] = Fault.NAME_TAKEN
    refuse(faults, where="destination")
    made = Destination(
        id=uuid7(),
        site_id=site_id,
        name=name,
        kind=given.kind,
        address=given.address,
        area_scheme=area.scheme if area else None,
        area_code=area.code if area else None,
        options=given.options,
        created_at=now,
    )
    session.add(made)
    _record(session, made, "destination-added", by, now, address=made.address)
    session.flush()
    return made.id


def stop(session: Session, destination_id: UUID, *, by: str, now: datetime) -> None:
    """Nothing more is owed or sent to it; what is owed stays. Twice is once. Raises NotFound."""
    found = _found(session, destination_id)
    if found.stopped_at is None:
        found.stopped_at = now
        _record(session, found, "destination-stopped", by, now)


def start(session: Session, destination_id: UUID, *, by: str, now: datetime) -> DestinationKind:
    """It is sent what is owed, and owed what happens from now on. Raises NotFound."""
    found = _found(session, destination_id)
    if found.stopped_at is not None:
        found.stopped_at = found.next_attempt_at = None
        _record(session, found, "destination-started", by, now)
    return DestinationKind(found.kind)


def owe_missing(session: Session, destination_id: UUID, *, by: str, now: datetime) -> int:
    """Owe what was never owed to it, of at most 10,000 swabs at once: how many rows. Raises
    NotFound."""
    found = _found(session, destination_id)
    specimens = missing_of(session, found.id, site_id=found.site_id)
    owed = owe_findings(session, specimens, site_id=found.site_id, now=now)
    if owed:
        _record(session, found, "destination-caught-up", by, now, rows=owed)
    return owed


def _platform(url: str) -> bool:
    """Whether it is an address to hang paths under: no query, and no password of somebody's; in
    the clear no public one."""
    try:
        parts: SplitResult = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http")
        and port_is_one
        and not (parts.scheme == "http" and is_public_literal(parts.hostname or ""))
        and _HOST.fullmatch(parts.hostname or "") is not None
        and not (parts.query or parts.fragment or parts.username or parts.password)
        and url.isascii()
        and url.isprintable()
        and " " not in url
        and len(url) <= 500
    )


def _certificate_faults(written: str, *, tls: bool) -> dict[str, Fault]:
    pem = written.strip()
    if pem and (not tls or not pem.startswith(_PEM) or len(pem) > _LONGEST_PEM):
        return {"certificate": Fault.CERTIFICATE}
    return {}


def _with_certificate(written: str) -> dict[str, Any]:
    return {"certificate": written.strip()} if written.strip() else {}


def _found(session: Session, destination_id: UUID) -> Destination:
    found = session.get(Destination, destination_id)
    if found is None:
        raise NotFound(came=str(destination_id), where="destinations")
    return found


def _record(
    session: Session, made: Destination, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=made.site_id,
        actor=by,
        verb=verb,
        subject=str(made.id),
        now=now,
        **detail,
    )
