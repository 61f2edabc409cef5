"""A tube being filled at the desk: its label, its door, and the people whose swabs are in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from lims.db.ids import uuid7
from lims.domain.registration import AreaRef
from lims.web.collect.draft import fresh as fresh_person
from lims.web.collect.draft import tidy_barcode, with_open_campaign
from lims.web.collect.person_form import (
    Typed,
    chosen_uuid,
    invalid,
    of_declared,
    of_known,
    read_area,
    read_person,
    typed_person,
)
from lims.work.field_pool import HouseholdGiven, Swabbed
from lims.work.views.declared import DeclaredPerson
from lims.work.views.desk import DeskUndone, HouseholdKnown, KnownPerson

MOST_MEMBERS: Final = 100


@dataclass(frozen=True)
class Member:
    """Somebody whose swab is in the tube; known by id, or as typed."""

    specimen_id: UUID
    typed: Typed
    person_id: UUID | None = None
    declared_id: UUID | None = None

    @property
    def carried(self) -> str:
        """As the page carries it from one scan to the next."""
        return json.dumps(
            {
                "specimen_id": str(self.specimen_id),
                "person_id": str(self.person_id) if self.person_id else "",
                "declared_id": str(self.declared_id) if self.declared_id else "",
                **self.typed,
            },
            ensure_ascii=False,
        )

    def value(self, session: Session) -> Swabbed:
        """As the laboratory takes it. Raises InvalidBody."""
        if self.person_id is not None:
            return Swabbed(self.specimen_id, person_id=self.person_id)
        return Swabbed(self.specimen_id, read_person(session, self.typed))


@dataclass(frozen=True)
class FieldDraft:
    """One tube, gathered person by person; nothing of it is stored before it is closed."""

    tube_id: UUID
    household_id: UUID
    barcode: str = ""
    campaign: str = ""
    label: str = ""
    home: Typed = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    typed: Typed = field(default_factory=lambda: typed_person({}))
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Hidden fields beside the scan field."""
        said = {
            "tube_id": str(self.tube_id),
            "household_id": str(self.household_id),
            "barcode": self.barcode,
            "campaign": self.campaign,
            "household": self.label,
            "home_address": self.home.get("address", ""),
            "home_area": self.home.get("area", ""),
        }
        fields = [(name, value) for name, value in said.items() if value]
        return [*fields, *(("member", member.carried) for member in self.members)]

    def without(self, field: str) -> "FieldDraft":
        """The same, with one field of the form empty: a scan had fallen into it."""
        if field == "barcode":
            return replace(self, barcode="")
        return replace(self, typed=self.typed | {field: ""})

    @property
    def people(self) -> frozenset[UUID]:
        """Those known by id who are in the tube."""
        return frozenset(one.person_id for one in self.members if one.person_id)

    @property
    def declared(self) -> frozenset[UUID]:
        """Those who were expected, and are in the tube."""
        return frozenset(one.declared_id for one in self.members if one.declared_id)

    def holds(self, typed: Typed) -> bool:
        """True when somebody with this card number is in the tube."""
        number = typed.get("national_id")
        return bool(number) and any(one.typed["national_id"] == number for one in self.members)

    def adding(
        self,
        typed: Typed,
        known: KnownPerson | None = None,
        declared: DeclaredPerson | None = None,
    ) -> "FieldDraft":
        """One more person. Somebody known, or expected, brings their door along when none is named
        yet."""
        said = of_declared(declared) if declared else {}
        whole = typed_person({}) | said | (of_known(known) if known else {}) | typed
        member = Member(
            uuid7(),
            whole,
            known.person_id if known else None,
            declared.declared_id if declared else None,
        )
        draft = replace(self, members=(*self.members, member), typed=typed_person({}), faults={})
        draft = draft.at_door_of(declared) if declared else draft
        if known and known.household_id and not self.label:
            draft = replace(draft, household_id=known.household_id, label=known.household or "")
            home = {"address": known.address or "", "area": whole["area"]}
            draft = replace(draft, home=home)
        return draft

    def at_door_of(self, declared: DeclaredPerson) -> "FieldDraft":
        """At the door that was declared, unless another one is named already."""
        if declared.household_id is None or self.label:
            return self
        home = {"address": declared.address or "", "area": of_declared(declared)["area"]}
        return replace(
            self,
            household_id=declared.household_id,
            label=declared.household or declared.code,
            home=home,
        )

    def door(self, session: Session) -> HouseholdGiven | None:
        """The household, when it has a name. Raises InvalidBody."""
        if not self.label:
            return None
        faults: dict[str, str] = {}
        area = read_area(session, self.home.get("area", ""), "home_area", faults)
        if faults:
            raise invalid(faults)
        return HouseholdGiven(
            self.household_id,
            self.label[:200],
            self.home.get("address") or None,
            AreaRef(area.scheme, area.code) if area else None,
        )


def fresh_tube(barcode: str = "", household: HouseholdKnown | None = None) -> FieldDraft:
    """An empty tube; campaign and commune are those of the desk's last registration."""
    desk = with_open_campaign(fresh_person())
    draft = FieldDraft(
        uuid7(),
        uuid7(),
        barcode=tidy_barcode(barcode) if barcode else "",
        campaign=desk.campaign,
        home={"address": "", "area": desk.typed["area"]},
    )
    if household is None:
        return draft
    area = f"{household.area_code} · {household.area}" if household.area else ""
    home = {"address": household.address or "", "area": area}
    return replace(draft, household_id=household.household_id, label=household.label, home=home)


def reopened(gone: DeskUndone) -> FieldDraft:
    """A tube that was closed and taken back: the same people, as swabs not yet registered."""
    draft = replace(fresh_tube(gone.barcode), campaign=str(gone.campaign_id or ""))
    for one in gone.people:
        draft = draft.adding({}, one)
    return draft


def drafted_tube(form: "MultiDict[str, str]") -> FieldDraft:
    """What the page carried, with the person being typed."""
    return FieldDraft(
        tube_id=chosen_uuid(form, "tube_id") or uuid7(),
        household_id=chosen_uuid(form, "household_id") or uuid7(),
        barcode=tidy_barcode(form.get("barcode", "")),
        campaign=form.get("campaign", ""),
        label=form.get("household", "").strip(),
        home={
            "address": form.get("home_address", "").strip(),
            "area": form.get("home_area", "").strip(),
        },
        members=tuple(filter(None, map(_member, form.getlist("member")[:MOST_MEMBERS]))),
        typed=typed_person(form),
    )


def _member(carried: str) -> Member | None:
    """What is not as this page wrote it is nobody."""
    try:
        said = json.loads(carried)
    except ValueError:
        return None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        return None
    specimen = chosen_uuid(said, "specimen_id")
    if specimen is None:
        return None
    person_id, declared_id = chosen_uuid(said, "person_id"), chosen_uuid(said, "declared_id")
    return Member(specimen, typed_person(said), person_id, declared_id)
