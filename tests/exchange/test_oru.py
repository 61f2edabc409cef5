"""What a hospital is told over MLLP: valid messages that say what is known, and correct it."""

from __future__ import annotations

from datetime import timedelta

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from instruments.hl7.message import Message
from lims.db.ids import uuid7
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.work.hand_over import hand_over
from lims.work.rapid import RapidReading, read_rapid_test
from tests.builders_rapid import pupils
from tests.exchange.laboratories import Lab
from tests.exchange.receivers import receiver


def valid(block: bytes) -> None:
    """HL7's own structures take it: segments, fields, how often and of which type."""
    parse_message(
        block.decode(), validation_level=VALIDATION_LEVEL.STRICT, find_groups=True
    ).validate()


def value_of(message: Message, segment: str, field: int) -> str:
    """Of the first segment of this name."""
    found = message.first(segment)
    return found.value(field) if found else ""


def test_a_released_positive_arrives_as_a_valid_final_result(lab: Lab) -> None:
    with receiver() as his:
        lab.hospital(his.port, application="HIS", facility="BV TD")
        swab = lab.positive()
        lab.deliver()
    valid(his.blocks[0])
    said = his.messages[0]
    assert said.kind == "ORU^R01"
    assert (said.header.value(5), said.header.value(6)) == ("HIS", "BV TD")
    pid, obr, obx, spm = (said.first(name) for name in ("PID", "OBR", "OBX", "SPM"))
    assert pid and obr and obx and spm
    assert [pid.value(5, n) for n in (1, 2, 3)] == ["Nguyễn", "Mai", "Thị"]
    assert obr.value(25) == "F"
    assert (obx.value(3), obx.value(5), obx.value(8), obx.value(11)) == (
        "94500-6",
        "260373001",
        "A",
        "F",
    )
    assert obx.value(18) == "QS5-1"
    cycles = {one.value(3): one.value(5) for one in said.named("OBX") if one.value(2) == "NM"}
    assert "24.5" in cycles.values()
    assert (spm.value(2, 2), spm.value(11), spm.value(13)) == (swab.barcode, "P", "")
    assert lab.rows() == [("F", "delivered", 1)]


def test_a_strip_of_a_kit_without_a_name_goes_out_with_its_lot_and_no_dash(lab: Lab) -> None:
    with receiver() as his:
        lab.hospital(his.port)
        read_rapid_test(
            lab.bench.session,
            RapidReading(
                specimen_id=uuid7(),
                started_at=lab.bench.now - timedelta(minutes=20),
                read_at=lab.bench.now,
                outcome=RapidOutcome.NEGATIVE,
                kit_lot="AG1",
                person=pupils(1)[0].person,
                exposure=Exposure.NONE,
            ),
            site_id=lab.bench.site_id,
            by="desk",
            now=lab.bench.now,
            tube_may_follow=True,
        )
        lab.deliver()
    (block,) = his.blocks
    valid(block)
    assert "—" not in block.decode()
    obx = his.messages[0].first("OBX")
    assert obx and [obx.value(17, n) for n in (1, 2, 3)] == ["AG1", "lot AG1", "L"]


def test_who_was_cleared_by_a_pool_is_told_with_the_pool_and_how_many_it_held(lab: Lab) -> None:
    with receiver() as his:
        lab.hospital(his.port)
        pool = lab.bench.lab_pool(lab.bench.swabs(4))
        field = lab.bench.field_pool(3)
        lab.bench.run()
        lab.deliver()
    for block in his.blocks:
        valid(block)
    specimens = [
        [(one.value(2, 2), one.value(11), one.value(13)) for one in said.named("SPM")]
        for said in his.messages
    ]
    of_lab = [found for found in specimens if len(found) == 2]
    of_field = [found for found in specimens if len(found) == 1]
    assert (len(of_lab), len(of_field)) == (4, 3)
    assert {found[1] for found in of_lab} == {(pool, "L", "4")}
    assert {found[0] for found in of_field} == {(field.barcode, "G", "3")}
    assert not any(one.value(2) == "NM" for said in his.messages for one in said.named("OBX"))


def test_a_correction_follows_what_it_corrects_and_a_wrong_person_is_told_so(lab: Lab) -> None:
    with receiver() as his:
        lab.hospital(his.port)
        swab, other = lab.negatives(2)
        hand_over(
            lab.bench.session,
            [swab.specimen_id],
            first=swab.person_id,
            owner=other.person_id,
            site_id=lab.bench.site_id,
            by="reviewer",
            now=lab.bench.later(1).now,
        )
        lab.deliver()
    told = [
        (value_of(said, "PID", 3), value_of(said, "OBX", 11))
        for said in his.messages
        if value_of(said, "OBR", 3) == str(swab.specimen_id)
    ]
    assert told == [
        (str(swab.person_id), "F"),
        (str(swab.person_id), "W"),
        (str(other.person_id), "C"),
    ]
    for block in his.blocks:
        valid(block)
