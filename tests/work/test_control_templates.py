"""Where controls stand: versions that join, runs that keep theirs, nothing that could not pass."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.plates import ControlRole, ControlTemplate, PlateSize
from lims.domain.refusals import DifferentBody, InvalidBody, NotFound
from lims.work.control_templates import (
    NamedTemplate,
    add_template,
    retire_template,
    templates_in_force,
)
from lims.work.plate import RunRequest, lay_out
from lims.work.run_layout import Layout
from tests.builders import Bench, open_bench

WITH_EXTRACTION = ControlTemplate(
    (
        ("A01", ControlRole.NEGATIVE),
        ("B01", ControlRole.POSITIVE),
        ("C01", ControlRole.EXTRACTION),
    )
)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def added(bench: Bench, name: str, template: ControlTemplate = WITH_EXTRACTION) -> NamedTemplate:
    bench.later(1)
    return add_template(
        bench.session,
        uuid7(),
        site_id=bench.site_id,
        name=name,
        assay="sars-cov-2",
        template=template,
        by="operator",
        now=bench.now,
    )


def laid_out(bench: Bench, **changes: object) -> Layout:
    bench.swab()
    bench.plates += 1
    request = RunRequest(uuid7(), f"PL-{bench.plates:04d}", **changes)  # type: ignore[arg-type]  # chosen by tests
    return lay_out(bench.session, request, site_id=bench.site_id, by="plater", now=bench.now)[0]


def controls(layout: Layout) -> dict[str, str]:
    return {well.position: well.role for well in layout.wells if well.role != "specimen"}


def test_a_laboratory_is_founded_with_a_template_for_each_format(bench: Bench) -> None:
    found = templates_in_force(bench.session, site_id=bench.site_id, assay="sars-cov-2")
    assert [(one.name, one.version, int(one.template.size)) for one in found] == [
        ("Standard", 1, 96),
        ("Standard", 1, 384),
    ]


def test_a_run_is_laid_out_by_the_template_chosen_and_fills_around_its_controls(
    bench: Bench,
) -> None:
    chosen = added(bench, "With extraction control")
    layout = laid_out(bench, template_id=chosen.template_id)
    assert layout.control_template == "With extraction control/1"
    assert controls(layout) == {
        "A01": "negative_control",
        "B01": "positive_control",
        "C01": "extraction_control",
    }
    assert [well.position for well in layout.wells if well.role == "specimen"] == ["D01"]


def test_another_name_is_not_taken_unasked_but_a_new_version_of_the_usual_one_is(
    bench: Bench,
) -> None:
    added(bench, "With extraction control")
    assert laid_out(bench).control_template == "Standard/1"
    before = laid_out(bench)
    added(bench, "standard ".capitalize())
    after = laid_out(bench)
    assert after.control_template == "Standard/2"
    assert (controls(before), controls(after)["C01"]) == (
        {"H11": "negative_control", "H12": "positive_control"},
        "extraction_control",
    )


def test_the_same_template_again_is_the_same_and_another_under_its_id_is_refused(
    bench: Bench,
) -> None:
    first = added(bench, "Ours")
    values = {
        "site_id": bench.site_id,
        "name": "Ours",
        "assay": "sars-cov-2",
        "by": "x",
        "now": bench.now,
    }
    again = add_template(
        bench.session,
        first.template_id,
        template=WITH_EXTRACTION,
        **values,  # type: ignore[arg-type]  # chosen by tests
    )
    assert again == first
    with pytest.raises(DifferentBody):
        add_template(
            bench.session,
            first.template_id,
            template=ControlTemplate(),
            **values,  # type: ignore[arg-type]  # chosen by tests
        )


def test_a_retired_template_is_no_longer_laid_out_by_and_the_last_one_stays(bench: Bench) -> None:
    [standard, _] = templates_in_force(bench.session, site_id=bench.site_id, assay="sars-cov-2")
    retire = {"site_id": bench.site_id, "by": "operator", "now": bench.now}
    with pytest.raises(InvalidBody):
        retire_template(bench.session, standard.template_id, **retire)  # type: ignore[arg-type]  # chosen by tests
    added(bench, "Ours")
    for _ in range(2):
        retire_template(bench.session, standard.template_id, **retire)  # type: ignore[arg-type]  # chosen by tests
    assert laid_out(bench).control_template == "Ours/1"
    with pytest.raises(NotFound):
        laid_out(bench, template_id=standard.template_id)


def test_a_template_of_another_format_is_refused(bench: Bench) -> None:
    ours = added(bench, "Ours")
    with pytest.raises(InvalidBody):
        laid_out(bench, template_id=ours.template_id, format=PlateSize.WELLS_384)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE well SET position = 'I01' WHERE position = 'A01'",
        "UPDATE well SET position = 'A13' WHERE position = 'A01'",
        "UPDATE run SET format = 384",
        "UPDATE run SET control_template_id = (SELECT id FROM control_template WHERE format = 384)",
        "UPDATE control_template_well SET position = 'Q01' WHERE position = 'O23'",
    ],
)
def test_a_well_that_the_plate_has_not_cannot_be_stored(bench: Bench, statement: str) -> None:
    laid_out(bench)
    with pytest.raises(IntegrityError):
        bench.session.execute(text(statement))
