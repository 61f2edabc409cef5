"""Endpoints of the street desk: register one, a batch, a field pool, a rapid test."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from lims.api import problems
from lims.api.door import Answer, Ask, Crowd, Door, RowsApart
from lims.domain import barcodes
from lims.domain.refusals import BodyTooLarge, Refusal
from lims.domain.registration import Registration
from lims.doors.bodies import (
    BatchBody,
    FieldPoolBody,
    PcrTubeBody,
    RapidBatchBody,
    RapidTestBody,
    RegistrationBody,
)
from lims.work.field_pool import FieldPooled, register_field_pool
from lims.work.rapid import RapidRead, read_rapid_test
from lims.work.rapid_batch import RapidBatchRead, read_rapid_batch
from lims.work.rapid_pcr import PcrTube, take_pcr_tube
from lims.work.register import Registered, register
from lims.work.register_batch import MOST_ROWS, RowOutcome, register_batch
from lims.work.tokens import Scope


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row's outcome: ``registered``, ``replayed``, or ``refused`` with its problem."""

    row: int
    outcome: str
    receipt: Registered | None
    problem: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The whole batch: counts, then every row in the order it came."""

    registered: int
    replayed: int
    refused: int
    rows: list[BatchRow]


def declare(door: Door) -> None:
    """Open the desk's endpoints."""
    door.opens(
        "POST",
        "/specimens",
        scope=Scope.REGISTER,
        body=RegistrationBody,
        answers=Registered,
        one_statement=True,
        crowd=Crowd.DESKS,
    )(register_specimen)
    door.opens(
        "POST",
        "/specimens/batch",
        scope=Scope.REGISTER,
        body=BatchBody,
        answers=BatchOutcome,
        rows_apart=True,
        crowd=Crowd.LISTS,
    )(register_specimens)
    door.opens(
        "POST",
        "/field-pools",
        scope=Scope.REGISTER,
        body=FieldPoolBody,
        answers=FieldPooled,
        crowd=Crowd.DESKS,
    )(field_pool)
    door.opens(
        "POST",
        "/rapid-tests",
        scope=Scope.REGISTER,
        body=RapidTestBody,
        answers=RapidRead,
        crowd=Crowd.DESKS,
    )(rapid_test)
    door.opens(
        "POST",
        "/rapid-tests/batch",
        scope=Scope.REGISTER,
        body=RapidBatchBody,
        answers=RapidBatchRead,
        crowd=Crowd.LISTS,
    )(rapid_batch)
    door.opens(
        "POST",
        "/rapid-tests/<uuid:specimen_id>/pcr-tube",
        scope=Scope.REGISTER,
        body=PcrTubeBody,
        answers=PcrTube,
    )(pcr_tube)


def register_specimen(ask: Ask[RegistrationBody]) -> Answer:
    """Register one person's swab in one tube."""
    receipt = register(
        ask.connection or ask.session,
        ask.body.value(),
        site_id=ask.holder.site_id,
        by=ask.by,
        now=ask.now,
    )
    return Answer(receipt, created=not receipt.replayed)


def register_specimens(ask: Ask[BatchBody | RowsApart]) -> Answer:
    """Register up to 10,000 swabs; good rows are kept, bad ones say how to correct them."""
    if len(ask.body.rows) > MOST_ROWS:
        raise BodyTooLarge(
            expected=f"at most {MOST_ROWS} rows", came=f"{len(ask.body.rows)} rows", where="rows"
        )
    good: list[tuple[int, Registration]] = []
    outcomes: list[RowOutcome] = []
    for number, row in enumerate(ask.body.rows):
        try:
            body = row if isinstance(row, RegistrationBody) else _registration(row)
            good.append((number, body.value()))
        except ValidationError as error:
            outcomes.append(RowOutcome(number, None, problems.invalid(error)))
        except Refusal as refusal:
            outcomes.append(RowOutcome(number, None, refusal))
    outcomes += register_batch(
        ask.session, good, site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    rows = [_row(outcome) for outcome in sorted(outcomes, key=lambda o: o.row)]
    counts = {word: sum(r.outcome == word for r in rows) for word in _WORDS}
    return Answer(BatchOutcome(**counts, rows=rows), created=counts["registered"] > 0)


def _registration(row: object) -> RegistrationBody:
    return RegistrationBody.model_validate(row, strict=False)


_WORDS = ("registered", "replayed", "refused")


def _row(outcome: RowOutcome) -> BatchRow:
    if outcome.refusal is not None:
        return BatchRow(outcome.row, "refused", None, problems.problem(outcome.refusal))
    replayed = outcome.receipt is not None and outcome.receipt.replayed
    return BatchRow(outcome.row, "replayed" if replayed else "registered", outcome.receipt, None)


def field_pool(ask: Ask[FieldPoolBody]) -> Answer:
    """Register several people's swabs in one tube."""
    receipt = register_field_pool(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)


def rapid_test(ask: Ask[RapidTestBody]) -> Answer:
    """Read a rapid antigen test; a positive opens a presumptive case and asks for PCR."""
    receipt = read_rapid_test(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)


def rapid_batch(ask: Ask[RapidBatchBody]) -> Answer:
    """Read a roster of up to 500 rapid tests, all or none; positives are told at once."""
    receipt = read_rapid_batch(
        ask.session, ask.body.value(), site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)


def pcr_tube(ask: Ask[PcrTubeBody], specimen_id: UUID) -> Answer:
    """Name the PCR tube of a rapid positive, when it comes after the reading."""
    receipt = take_pcr_tube(
        ask.session,
        specimen_id,
        barcodes.parse(ask.body.barcode),
        site_id=ask.holder.site_id,
        by=ask.by,
        now=ask.now,
    )
    return Answer(receipt, created=not receipt.replayed)
