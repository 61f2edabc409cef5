"""Whoever keeps a copy hears of every change: what a resource says of is part of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.exchange.fhir.listing import Type, read_one
from lims.exchange.fhir.reach import Reach
from lims.exchange.fhir.service_requests import SERVICE_REQUEST
from lims.exchange.fhir.specimens import SPECIMEN
from lims.work.merge import merge_people
from tests.builders import Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _shown(bench: Bench, kind: Type, row_id: UUID) -> tuple[str, int]:
    """Whose it is, and its version."""
    bench.session.commit()
    shown = read_one(bench.session, kind, row_id, Reach(None), bench.site_id)
    assert shown is not None
    who = shown.resource["subject"]["reference"]
    return who, int(shown.resource["meta"]["versionId"])


@pytest.mark.parametrize(("kind", "table"), [(SPECIMEN, "tube"), (SERVICE_REQUEST, "test_order")])
def test_a_swab_that_turns_out_to_be_another_s_changes_its_tube_and_its_test(
    bench: Bench, kind: Type, table: str
) -> None:
    kept, other = bench.swab(name="Lê Thị Ba"), bench.swab(name="Le Thi Ba")
    tube = "t.id" if table == "tube" else "o.id"
    row_id: UUID = bench.session.execute(
        text(
            f"SELECT {tube} FROM tube t JOIN test_order o ON o.tube_id = t.id"
            " WHERE t.barcode = :barcode"
        ),
        {"barcode": other.barcode},
    ).scalar_one()
    whose, before = _shown(bench, kind, row_id)
    assert whose == f"Patient/{other.person_id}"
    merge_people(
        bench.session,
        kept.person_id,
        other.person_id,
        "one card, two spellings",
        site_id=bench.site_id,
        by="user:r",
        now=bench.now,
    )
    whose, after = _shown(bench, kind, row_id)
    assert whose == f"Patient/{kept.person_id}"
    assert after > before
