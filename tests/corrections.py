"""A tube whose analyser changes its mind, and the laboratory accepts it."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from lims.work.correct import accept_correction
from lims.work.review import release_positive
from lims.work.run_layout import Layout
from tests.builders import Bench, Swab
from tests.captures import Told, plate_capture


def finding_of(bench: Bench, swab: Swab) -> UUID:
    """What is known of the swab now."""
    found = bench.session.execute(
        text("SELECT id FROM finding WHERE specimen_id = :id AND current"),
        {"id": swab.specimen_id},
    )
    finding_id: UUID = found.scalar_one()
    return finding_id


def measured(bench: Bench, swab: Swab, told: Told) -> Layout:
    """The first word on the tube."""
    layout = bench.plate()
    bench.later(60).take(plate_capture(layout, {swab.barcode: told}, instrument=bench.instrument))
    return layout


def corrected(bench: Bench, layout: Layout, swab: Swab, told: Told) -> None:
    """Another value for the same well comes, and a reviewer accepts it."""
    whole = plate_capture(layout, {swab.barcode: told}, instrument=bench.instrument)
    only = tuple(m for m in whole.measurements if m.specimen == swab.barcode)
    bench.later(60).take(replace(whole, measurements=only))
    waiting = bench.session.execute(
        text("SELECT id FROM measurement WHERE standing = 'correction'")
    ).scalar_one()
    accept_correction(bench.session, waiting, by="user:mai", now=bench.now)


def released(bench: Bench, swab: Swab) -> UUID:
    """The reviewer's final word on a positive."""
    finding_id = finding_of(bench, swab)
    release_positive(bench.session, finding_id, site_id=bench.site_id, by="user:mai", now=bench.now)
    return finding_id
