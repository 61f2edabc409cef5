"""Request bodies: they validate, they document themselves (OpenAPI), they become domain values.

Shapes are pydantic's work; what only the laboratory knows (check characters,
telephone prefixes) is refused by the domain with its own words.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lims.domain import barcodes
from lims.domain.identity import name_key, parse_phone
from lims.domain.plates import PlateSize, parse_well
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.domain.roster_line import MOST_PEOPLE
from lims.doors.fields import (
    BIRTHS,
    NO_NUL,
    Address,
    Birthday,
    Moment,
    Name,
    Note,
    Read,
    Scan,
    Whole,
)
from lims.work.field_pool import FieldPoolRequest, HouseholdGiven, Swabbed
from lims.work.plate import RunRequest
from lims.work.pool import PoolRequest
from lims.work.prepare import PrepareRequest
from lims.work.rapid import RapidReading
from lims.work.rapid_batch import BatchStrip, RapidBatch


class Body(BaseModel):
    """A request body: no field that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AreaBody(Body):
    """An administrative unit: a code together with the scheme it belongs to."""

    scheme: Annotated[str, StringConstraints(max_length=40), NO_NUL] = Field(
        examples=["vn-2025.10.1"]
    )
    code: Annotated[str, StringConstraints(pattern="^[0-9]{2,10}$")] = Field(examples=["00070"])

    def value(self) -> AreaRef:
        """As the domain reads it."""
        return AreaRef(self.scheme, self.code)


class PersonBody(Body):
    """A person as the card or the mouth said. A year alone is a birth date too."""

    name: Name
    birth_year: Whole | None = Field(None, ge=BIRTHS[0].year, le=BIRTHS[1].year)
    birth_date: Birthday | None = None
    sex: Literal["male", "female"] | None = None
    phone: Annotated[str, StringConstraints(max_length=30), NO_NUL] | None = None
    national_id: Annotated[str, StringConstraints(pattern="^[0-9]{12}$")] | None = None
    address: Address | None = None
    area: AreaBody | None = None
    work_area: AreaBody | None = None

    @model_validator(mode="after")
    def _one_birth(self) -> "PersonBody":
        if self.birth_date and self.birth_year and self.birth_date.year != self.birth_year:
            raise ValueError("birth_year is not the year of birth_date")
        return self

    def value(self) -> PersonGiven:
        """As the domain reads it. Raises NotAPhoneNumber."""
        return PersonGiven(
            name=self.name,
            name_key=name_key(self.name),
            birth_year=self.birth_date.year if self.birth_date else self.birth_year,
            birth_date=self.birth_date,
            sex=self.sex,
            phone=parse_phone(self.phone) if self.phone else None,
            national_id=self.national_id,
            address=self.address,
            area=self.area.value() if self.area else None,
            work_area=self.work_area.value() if self.work_area else None,
        )


class _Whose(Body):
    """Exactly one of somebody new and somebody known."""

    person: PersonBody | None = None
    person_id: UUID | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "_Whose":
        if (self.person is None) == (self.person_id is None):
            raise ValueError("give either person or person_id")
        return self

    def given(self) -> PersonGiven | None:
        """The new person, if it is one."""
        return self.person.value() if self.person else None


class RegistrationBody(_Whose):
    """One swab in one tube. ``specimen_id`` is a UUIDv7 minted by the client."""

    specimen_id: UUID
    barcode: Scan = Field(examples=["TT7K-40FQ-9XJ"])
    collected_at: Moment
    campaign_id: UUID | None = None
    assay: Literal["sars-cov-2"] = "sars-cov-2"

    def value(self) -> Registration:
        """As the domain reads it. Raises what barcodes.parse does, and NotAPhoneNumber."""
        return Registration(
            specimen_id=self.specimen_id,
            barcode=barcodes.parse(self.barcode),
            collected_at=self.collected_at,
            person=self.given(),
            person_id=self.person_id,
            campaign_id=self.campaign_id,
            assay=self.assay,
        )


class BatchBody(Body):
    """Up to 10,000 registrations; good rows are kept, bad ones come back with what is wrong."""

    rows: list[RegistrationBody] = Field(max_length=10_000)


class HouseholdBody(Body):
    """The door that people share."""

    household_id: UUID
    label: Name
    address: Address | None = None
    area: AreaBody | None = None

    def value(self) -> HouseholdGiven:
        """As the domain reads it."""
        return HouseholdGiven(
            self.household_id, self.label, self.address, self.area.value() if self.area else None
        )


class MemberBody(_Whose):
    """One of the people whose swabs share a tube."""

    specimen_id: UUID


class FieldPoolBody(Body):
    """One tube with several people's swabs, registered together."""

    tube_id: UUID
    barcode: Scan
    collected_at: Moment
    members: list[MemberBody] = Field(min_length=1, max_length=100)
    household: HouseholdBody | None = None
    campaign_id: UUID | None = None
    assay: Literal["sars-cov-2"] = "sars-cov-2"

    def value(self) -> FieldPoolRequest:
        """As the domain reads it."""
        return FieldPoolRequest(
            tube_id=self.tube_id,
            barcode=barcodes.parse(self.barcode),
            collected_at=self.collected_at,
            members=tuple(Swabbed(m.specimen_id, m.given(), m.person_id) for m in self.members),
            household=self.household.value() if self.household else None,
            campaign_id=self.campaign_id,
            assay=self.assay,
        )


class ReceptionBody(Body):
    """Tubes scanned at the laboratory door, in scan order.

    Whatever the scanner read: one scan that is no barcode is refused alone.
    """

    barcodes: list[Read] = Field(min_length=1, max_length=1000)


class RejectionBody(Body):
    """A tube that cannot be tested, and why."""

    barcode: Scan
    reason: Note


class PoolBody(Body):
    """A laboratory pool: its label and its sources in pipetting order."""

    pool_id: UUID
    barcode: Scan
    sources: list[Scan] = Field(min_length=1, max_length=100)

    def value(self) -> PoolRequest:
        """As the domain reads it."""
        sources = tuple(barcodes.parse(s) for s in self.sources)
        return PoolRequest(self.pool_id, barcodes.parse(self.barcode), sources)


class VolumeBody(Body):
    """How much a tube held when it came, µl."""

    barcode: Scan
    volume_ul: int = Field(ge=0, le=100_000)


class SubPoolBody(Body):
    """A sub-pool that was pipetted: which, and the new tube's label."""

    tube_id: UUID
    sub_pool_id: UUID
    barcode: Scan

    def value(self) -> PrepareRequest:
        """As the domain reads it."""
        return PrepareRequest(self.tube_id, self.sub_pool_id, barcodes.parse(self.barcode))


class WellBody(Body):
    """A tube placed by hand."""

    position: Annotated[str, StringConstraints(max_length=4), NO_NUL] = Field(examples=["A01"])
    barcode: Scan


class RunBody(Body):
    """A plate to lay out: from the queue, or exactly the wells given."""

    run_id: UUID
    plate: Annotated[str, StringConstraints(max_length=24), NO_NUL] = Field(examples=["PL-0001"])
    assay: Literal["sars-cov-2"] = "sars-cov-2"
    most: Whole | None = Field(None, ge=1, le=384)
    wells: list[WellBody] = Field(default=[], max_length=384)
    format: Literal[96, 384] = 96
    control_template_id: UUID | None = None

    def value(self) -> RunRequest:
        """As the domain reads it. Raises NotAWell, NotABarcode."""
        size = PlateSize(self.format)
        return RunRequest(
            run_id=self.run_id,
            plate=barcodes.parse_plate(self.plate),
            assay=self.assay,
            most=self.most,
            wells=tuple(
                (parse_well(w.position, size), barcodes.parse(w.barcode)) for w in self.wells
            ),
            format=size,
            template_id=self.control_template_id,
        )


KitSaid = Annotated[str, StringConstraints(min_length=1, max_length=200), NO_NUL]
"""A lot's characters, or the whole GS1 code of the box."""


class RapidTestBody(_Whose):
    """A rapid antigen test read at the desk."""

    specimen_id: UUID
    started_at: Moment
    read_at: Moment
    outcome: RapidOutcome
    kit_lot: KitSaid = Field(examples=["AG21-07"])
    pcr_barcode: Scan | None = None
    exposure: Exposure | None = None
    suspect: bool | None = None

    def value(self) -> RapidReading:
        """As the domain reads it."""
        return RapidReading(
            specimen_id=self.specimen_id,
            started_at=self.started_at,
            read_at=self.read_at,
            outcome=self.outcome,
            kit_lot=self.kit_lot,
            person=self.given(),
            person_id=self.person_id,
            pcr_barcode=barcodes.parse(self.pcr_barcode) if self.pcr_barcode else None,
            exposure=self.exposure,
            suspect=self.suspect,
        )


class BatchStripBody(_Whose):
    """One strip of a roster. What is not said is negative."""

    specimen_id: UUID
    outcome: RapidOutcome = RapidOutcome.NEGATIVE
    exposure: Exposure | None = None
    suspect: bool | None = None
    pcr_barcode: Scan | None = None

    def value(self) -> BatchStrip:
        """As the domain reads it."""
        return BatchStrip(
            specimen_id=self.specimen_id,
            outcome=self.outcome,
            person=self.given(),
            person_id=self.person_id,
            exposure=self.exposure,
            suspect=self.suspect,
            pcr_barcode=barcodes.parse(self.pcr_barcode) if self.pcr_barcode else None,
        )


class RapidBatchBody(Body):
    """A roster as a telephone kept it: one lot, one drop, one reading, everybody in it."""

    batch_id: UUID
    kit_lot: KitSaid = Field(examples=["(01)08935212000017(17)230131(10)AG21-07"])
    started_at: Moment
    read_at: Moment
    strips: list[BatchStripBody] = Field(min_length=1, max_length=MOST_PEOPLE)
    exposure: Exposure | None = None
    campaign_id: UUID | None = None

    def value(self) -> RapidBatch:
        """As the domain reads it."""
        return RapidBatch(
            batch_id=self.batch_id,
            kit_lot=self.kit_lot,
            started_at=self.started_at,
            read_at=self.read_at,
            strips=tuple(one.value() for one in self.strips),
            exposure=self.exposure,
            campaign_id=self.campaign_id,
        )


class PcrTubeBody(Body):
    """The label of the PCR tube that a rapid positive asked for."""

    barcode: Scan
