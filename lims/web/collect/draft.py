"""What a desk has gathered of one registration: carried by the page, stored only when whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import session as cookie

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.days import typed_moment
from lims.domain.refusals import Refusal
from lims.domain.zones import Tie
from lims.web.collect.person_form import (
    Card,
    Typed,
    card_beside,
    chosen_uuid,
    of_declared,
    of_known,
    typed_person,
)
from lims.web.language import laboratory, local
from lims.work.views import desk
from lims.work.views.declared import DeclaredPerson
from lims.work.views.desk import KnownPerson
from lims.work.zones import Belonging

MOST_WAITED_S: Final = 3 * 24 * 3600


@dataclass(frozen=True)
class Draft:
    """One person and one tube, in any order, by scan or by hand."""

    specimen_id: UUID
    typed: Typed
    barcode: str = ""
    campaign: str = ""
    zone: str = ""
    collected_at: str = ""
    known_area: str = ""
    waited_s: int = 0
    person_id: UUID | None = None
    known: KnownPerson | None = None
    declared_id: UUID | None = None
    declared: DeclaredPerson | None = None
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_person(self) -> bool:
        return bool(self.typed["name"])

    @property
    def carried(self) -> dict[str, str]:
        """Hidden fields beside the scan field, so that the next scan knows all this."""
        said = self.typed | {
            "barcode": self.barcode,
            "campaign": self.campaign,
            "zone": self.zone,
            "collected_at": self.collected_at,
            "specimen_id": str(self.specimen_id),
            "person_id": str(self.person_id or ""),
            "declared_id": str(self.declared_id or ""),
            "known_area": self.known_area,
        }
        return {name: value for name, value in said.items() if value}

    def with_card(
        self, card: Card, known: KnownPerson | None, declared: DeclaredPerson | None = None
    ) -> "Draft":
        """The card's person in place of whoever stood there; the desk's commune stays.

        Somebody known keeps the address and the commune that are stored; what neither says is as
        it was declared.
        """
        blank = dict.fromkeys(self.typed, "") | {"area": "" if declared else self.desk_area}
        stored = self._stored(known, declared)
        return replace(
            self,
            typed=blank | stored | card_beside(card, declared),
            known=known,
            declared=declared,
            declared_id=declared.declared_id if declared else None,
            known_area=stored.get("area", ""),
            person_id=None,
        )

    def with_declared(self, declared: DeclaredPerson, known: KnownPerson | None) -> "Draft":
        """Somebody expected, found by what they declared; known here by their number, perhaps."""
        blank = dict.fromkeys(self.typed, "")
        stored = self._stored(known, declared)
        return replace(
            self,
            typed=blank | stored,
            known=known,
            declared=declared,
            declared_id=declared.declared_id,
            known_area=stored.get("area", ""),
            person_id=known.person_id if known else None,
        )

    @staticmethod
    def _stored(known: KnownPerson | None, declared: DeclaredPerson | None) -> Typed:
        said = of_declared(declared) if declared else {}
        said = said | {name: one for name, one in of_known(known).items() if one} if known else said
        return {name: one for name, one in said.items() if one}

    @property
    def desk_area(self) -> str:
        """The commune typed at this desk; one that came with somebody known is theirs alone."""
        typed = self.typed["area"]
        return kept_area() if typed == self.known_area else typed

    def with_known(self, known: KnownPerson) -> "Draft":
        """Somebody registered before, chosen by id."""
        typed = of_known(known)
        return replace(
            self,
            typed=typed,
            known=known,
            declared=None,
            declared_id=None,
            known_area=typed["area"],
            person_id=known.person_id,
        )


def fresh() -> Draft:
    """An empty draft; campaign, zone and commune are those of the desk's last registration."""
    typed = typed_person({}) | {"area": kept_area()}
    return Draft(uuid7(), typed, campaign=kept_campaign(), zone=kept_zone())


def with_open_campaign(draft: Draft) -> Draft:
    """The only open campaign, where this desk has chosen none yet; "none" is a choice too."""
    if draft.campaign or "desk" in cookie:
        return draft
    lab = laboratory()
    with lab.statements() as session:
        open_ones = desk.open_campaigns(session, site_id=lab.site_id)
    return replace(draft, campaign=str(open_ones[0].campaign_id)) if len(open_ones) == 1 else draft


def drafted(form: Mapping[str, str]) -> Draft:
    """What the page carried or the person typed."""
    return Draft(
        specimen_id=chosen_uuid(form, "specimen_id") or uuid7(),
        typed=typed_person(form),
        barcode=tidy_barcode(form.get("barcode", "")),
        campaign=form.get("campaign", ""),
        zone=form.get("zone", ""),
        collected_at=form.get("collected_at", ""),
        person_id=chosen_uuid(form, "person_id"),
        declared_id=chosen_uuid(form, "declared_id"),
        known_area=form.get("known_area", ""),
        waited_s=waited(form.get("waited", "")),
    )


def waited(said: str) -> int:
    """Seconds that a scan was kept in the browser while the network was away."""
    return min(int(said), MOST_WAITED_S) if said.isdecimal() and len(said) < 8 else 0


def keep_desk(campaign: str, area: str | None = None, zone: str | None = None) -> None:
    """Remember for the next registration at this browser; no area or zone leaves what there was."""
    cookie["desk"] = {
        "campaign": campaign,
        "area": kept_area() if area is None else area,
        "zone": kept_zone() if zone is None else zone[:60],
    }


def kept_zone() -> str:
    """The zone of the desk's last registration, and why its people belong there."""
    return str(cookie.get("desk", {}).get("zone", ""))


def belonging(chosen: str, person_id: UUID) -> Belonging | None:
    """What `worker:<zone>` or `resident:<zone>` says of a person; None for nothing."""
    tie, _, zone = chosen.partition(":")
    try:
        return Belonging(person_id, UUID(zone), Tie(tie))
    except ValueError:
        return None


def kept_area() -> str:
    """The commune of the desk's last newcomer."""
    return str(cookie.get("desk", {}).get("area", ""))


def kept_campaign() -> str:
    """The campaign of the desk's last registration."""
    return str(cookie.get("desk", {}).get("campaign", ""))


def tidy_barcode(text: str) -> str:
    """As printed when it is one; else as typed, for the person to correct."""
    try:
        return barcodes.shown(barcodes.parse(text))
    except Refusal:
        return text.strip()


def taken_at(text: str, now: datetime) -> datetime | None:
    """What a desk typed as the moment of the swab, on the site's clock; None for nothing or later.

    08:12 is today's, 21/11 08:12 this year's.
    """
    try:
        read = typed_moment(text, local(now).date())
    except ValueError:
        return None
    if read.tzinfo is None:
        read = read.replace(tzinfo=ZoneInfo(laboratory().timezone))
    return read if read <= now else None
