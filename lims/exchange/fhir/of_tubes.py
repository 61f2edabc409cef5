"""What a tube and a test on it have in common: they are of the people whose swabs it holds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from lims.exchange.fhir.asked import Kind, Parameter
from lims.exchange.fhir.elements import Json
from lims.exchange.fhir.listing import Shown


def loading(
    rows: TextClause, written: Callable[[Row[Any]], Json]
) -> Callable[[Session, Sequence[UUID]], Mapping[UUID, Shown]]:
    """A type's ``load``; ``rows`` have the columns ``id``, ``people`` and ``swabs``."""

    def load(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Shown]:
        found = session.execute(rows, {"ids": list(ids)})
        return {row.id: Shown(written(row), one_person(row)) for row in found}

    return load


def one_person(row: Row[Any]) -> tuple[UUID, ...]:
    """Whose it is; nobody's where several people's swabs are in it."""
    return tuple(row.people or ()) if row.swabs == 1 else ()


def about_people(tube: str) -> str:
    """A condition on the person ``p`` of a swab in the tube of that column."""
    return (
        "EXISTS (SELECT FROM tube_specimen ts JOIN specimen s ON s.id = ts.specimen_id"
        f" JOIN person p ON p.id = s.person_id WHERE ts.tube_id = {tube} AND {{}})"
    )


def within_swabs(tube: str) -> str:
    """A condition on a swab ``s`` in the tube of that column."""
    return (
        "EXISTS (SELECT FROM tube_specimen ts JOIN specimen s ON s.id = ts.specimen_id"
        f" WHERE ts.tube_id = {tube} AND {{}})"
    )


def whose(tube: str, says: str) -> tuple[Parameter, Parameter]:
    """The parameters ``patient`` and ``subject``, which ask the same."""
    patient, subject = (
        Parameter(
            name,
            Kind.REFERENCE,
            "s.person_id",
            said,
            within=within_swabs(tube),
            to="Patient",
            one=True,
        )
        for name, said in (("patient", says), ("subject", "the same"))
    )
    return patient, subject
