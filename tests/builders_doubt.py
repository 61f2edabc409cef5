"""A laboratory with something to doubt: positive strips that PCR refutes."""

from uuid import UUID

from sqlalchemy import text

from lims.work.rapid_pcr import take_pcr_tube
from lims.work.receive import receive
from tests.builders import Bench
from tests.builders_rapid import Classroom, classroom


def read_class(bench: Bench, people: int, positive: int) -> Classroom:
    """A class whose first strips are positive."""
    room = classroom(bench, people)
    timer = room.start()
    bench.later(20)
    for position in range(1, positive + 1):
        room.mark(position)
    room.read(timer, negative=people - positive, positive=positive)
    return room


def pcr_swabs(bench: Bench) -> list[str]:
    """A PCR tube for every positive strip that owes one; their labels, received."""
    owed = bench.session.execute(
        text(
            "SELECT specimen_id FROM rapid_test WHERE outcome = 'positive'"
            " AND pcr_specimen_id IS NULL ORDER BY specimen_id"
        )
    ).scalars()
    return [_tube(bench, strip) for strip in owed.all()]


def _tube(bench: Bench, strip: UUID) -> str:
    label, site = next(bench.labels), bench.site_id
    take_pcr_tube(bench.session, strip, label, site_id=site, by="user:hoa", now=bench.now)
    receive(bench.session, label, by="user:hoa", now=bench.now)
    return label


def refuted(bench: Bench, positive: int = 8, confirmed: int = 2) -> Classroom:
    """So many positive strips of one lot, of which one plate confirms only so many."""
    room = read_class(bench, positive + 2, positive)
    labels = pcr_swabs(bench)
    bench.run(dict.fromkeys(labels[:confirmed], 23.0))
    return room
