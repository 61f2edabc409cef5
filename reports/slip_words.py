"""The words of a result slip, in both languages, and the colours of its outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reportlab.lib.colors import Color

from lims.domain.outcomes import FindingOutcome
from reports import pen
from reports.pen import Both

TITLE: Final = Both("Phiếu kết quả xét nghiệm", "Test result slip")
BORN: Final = Both("Sinh", "Born")
SEXES: Final = {"male": Both("Nam", "Male"), "female": Both("Nữ", "Female")}
CARD: Final = Both("CCCD", "ID card")
COLLECTED: Final = Both("Lấy mẫu", "Collected")
RECEIVED: Final = Both("Nhận mẫu", "Received")
RESULTED: Final = Both("Trả kết quả", "Released")
SPECIMEN: Final = Both("Mẫu", "Specimen")
METHOD: Final = Both("Phương pháp", "Method")
DERIVED: Final = Both("Căn cứ", "Based on")
SIGNED: Final = Both("Người duyệt", "Released by")
AUTOMATIC: Final = Both("Tự động theo quy tắc {rule}", "Automatically, by rule {rule}")
STATUS: Final = Both("Tình trạng", "Status")
FINAL: Final = Both("Kết quả cuối cùng", "Final")
CORRECTED: Final = Both("Đã đính chính", "Corrected")
REPLACES_SLIP: Final = Both(
    "Thay cho phiếu cấp {when}, phiếu đó không còn giá trị.",
    "Replaces the slip issued {when}, which is no longer valid.",
)
REPLACES_RESULT: Final = Both(
    "Thay cho kết quả đã trả {when}.", "Replaces the result released {when}."
)
CHANGED: Final = Both("Trước: {before}. Nay: {after}.", "Before: {before}. Now: {after}.")
UNCHANGED: Final = Both(
    "Đã kiểm tra lại: kết quả vẫn là {after}.", "Checked again: the result is still {after}."
)
SCAN: Final = Both("Quét để kiểm tra phiếu", "Scan to check this slip")
ISSUED: Final = Both("Cấp phiếu", "Issued")

ASSAYS: Final = {"sars-cov-2": "SARS-CoV-2"}
SWAB: Final = Both("Dịch hầu họng", "Respiratory swab")
PCR: Final = Both("RT-PCR", "RT-PCR")
ANTIGEN: Final = Both("Xét nghiệm nhanh kháng nguyên", "Rapid antigen test")
KIT: Final = Both("lô {lot}", "lot {lot}")
OWN_TEST: Final = Both("Xét nghiệm riêng mẫu này", "A test of this specimen alone")
OWN_RAPID_TEST: Final = Both("Đọc que thử của người này", "A rapid test of this person")
LAB_POOL: Final = Both(
    "Mẫu gộp âm tính của {people} người, gộp tại phòng xét nghiệm",
    "Negative pool of {people} people, made in the laboratory",
)
FIELD_POOL: Final = Both(
    "Mẫu gộp âm tính của {people} người, gộp khi lấy mẫu",
    "Negative pool of {people} people, made at the swabbing desk",
)


@dataclass(frozen=True, slots=True)
class Look:
    """How an outcome is said: word, sign, colour, and what it means for the virus."""

    word: Both
    sign: str
    meaning: Both
    ink: Color
    soft: Color


LOOKS: Final[Mapping[FindingOutcome, Look]] = {
    FindingOutcome.NEGATIVE: Look(
        Both("Âm tính", "Negative"),
        "\u2212",
        Both("Không phát hiện {what}", "{what} not detected"),
        pen.NEGATIVE,
        pen.NEGATIVE_SOFT,
    ),
    FindingOutcome.POSITIVE: Look(
        Both("Dương tính", "Positive"),
        "+",
        Both("Có phát hiện {what}", "{what} detected"),
        pen.POSITIVE,
        pen.POSITIVE_SOFT,
    ),
    FindingOutcome.PRESUMPTIVE: Look(
        Both("Dương tính sơ bộ", "Presumptive positive"),
        "+",
        Both("Chờ RT-PCR khẳng định", "To be confirmed by RT-PCR"),
        pen.DOUBT,
        pen.DOUBT_SOFT,
    ),
    FindingOutcome.INCONCLUSIVE: Look(
        Both("Không xác định", "Inconclusive"),
        "?",
        Both("Cần lấy mẫu lại", "A new specimen is needed"),
        pen.DOUBT,
        pen.DOUBT_SOFT,
    ),
}
WHAT: Final = {
    "swab": Both("SARS-CoV-2", "SARS-CoV-2"),
    "antigen": Both("kháng nguyên SARS-CoV-2", "SARS-CoV-2 antigen"),
}
