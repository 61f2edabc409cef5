"""The words of the positive list, Vietnamese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lims.domain.outcomes import Basis
from lims.domain.rapid_test import Exposure
from lims.domain.triage import Colour, Illness, Signs
from reports.positive_list import Line, News, PositiveList, Section
from reports.saying import Saying

_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Danh sách F0", "List of F0 cases"),
    "case": ("Ca", "Case"),
    "section": ("Tình trạng", "Standing"),
    "name": ("Họ tên", "Name"),
    "verified": ("CCCD đúng", "Number confirmed"),
    "birth_year": ("Năm sinh", "Born"),
    "sex": ("Giới", "Sex"),
    "phone": ("Điện thoại", "Telephone"),
    "address": ("Nơi ở", "Home"),
    "area": ("Xã, phường", "Commune"),
    "province": ("Tỉnh, thành", "Province"),
    "work": ("Nơi làm, học", "Work or school"),
    "household": ("Hộ", "Household"),
    "household_people": ("Số người trong hộ", "People in it"),
    "basis": ("Căn cứ", "Basis"),
    "collected": ("Lấy mẫu", "Swabbed"),
    "found": ("Phát hiện", "Found"),
    "team": ("Tổ đang giữ", "Held by"),
    "todo": ("Việc phải làm", "What to do"),
    "person": ("Người", "Person"),
    "national_id": ("Số CCCD", "National ID"),
    "barcode": ("Mã ống", "Barcode"),
    "pooled": ("Số người trong ống", "People in the tube"),
    "ct": ("Ct", "Ct"),
    "lot": ("Lô kít", "Kit lot"),
    "colour": ("Màu", "Colour"),
    "news": ("Có gì mới", "What is new"),
    "place": ("Nơi lấy mẫu", "Swabbed at"),
    "reason": ("Lý do xét nghiệm", "Reason for the test"),
    "signs": ("Triệu chứng", "Signs"),
    "onset": ("Khởi phát", "Onset"),
    "answered": ("Có kết quả", "Result at"),
    "laboratory": ("Phòng xét nghiệm", "Laboratory"),
    "claimed": ("Nhận lúc", "Claimed at"),
    "pools": ("Mã mẻ gộp", "Pools"),
    "illnesses": ("Bệnh nền", "Underlying illness"),
    "doses": ("Số mũi vắc xin", "Vaccine doses"),
    "spo2": ("SpO₂ (%)", "SpO₂ (%)"),
    "taken_by": ("Người tải", "Taken by"),
    "taken_at": ("Tải lúc", "Taken at"),
    "destroy_by": ("Huỷ chậm nhất", "Destroy by"),
    "since": ("mới từ %s", "new since %s"),
    "complete": ("đủ đến %s", "complete up to %s"),
    "nobody": ("Không có ca nào.", "No case."),
    "unclaimed": ("chưa ai nhận", "unclaimed"),
    "page": ("Trang %s/%s", "Page %s of %s"),
    "open": ("mọi ca đang mở", "every open case"),
    "taken": ("%s tải lúc %s", "taken by %s at %s"),
    "destroy": ("Huỷ chậm nhất ngày %s", "Destroy by %s"),
    "secret": (
        "Dữ liệu sức khoẻ: chỉ dùng để truy vết, không chụp, không chuyển tiếp.",
        "Health data: for tracing only, not to be photographed or passed on.",
    ),
}
_SECTIONS: Final[Mapping[Section, tuple[str, str]]] = {
    Section.CONFIRMED: ("F0 khẳng định", "Confirmed F0"),
    Section.PRESUMPTIVE: ("F0 nghi ngờ, chờ khẳng định", "Presumptive F0, confirmation on its way"),
    Section.NO_LONGER: ("Không còn là F0", "No longer an F0"),
    Section.ENDED: ("Đã hết cách ly", "Isolation has ended"),
}
_TODO: Final[Mapping[Section, tuple[str, str]]] = {
    Section.CONFIRMED: (
        "Cách ly; lập danh sách mọi người đã gặp từ hai ngày trước khi lấy mẫu.",
        "Isolate, and list everybody met since two days before the swab.",
    ),
    Section.PRESUMPTIVE: (
        "Cách ly ngay, lập danh sách tiếp xúc; kết quả khẳng định sẽ đến sau.",
        "Isolate at once and list the contacts; a confirmation is on its way.",
    ),
    Section.NO_LONGER: (
        "Báo cho người này: kết quả cũ không còn giá trị. Cách ly vì là F1 vẫn giữ.",
        "Tell them that this result no longer counts. Isolation as a contact stays.",
    ),
    Section.ENDED: (
        "Xét nghiệm cuối đã đạt: báo cho người này, không phải truy vết thêm.",
        "The last test allows it: tell them. Nothing more to trace.",
    ),
}
_COLOURS: Final[Mapping[Colour, tuple[str, str]]] = {
    Colour.RED: ("đỏ", "red"),
    Colour.ORANGE: ("cam", "orange"),
    Colour.YELLOW: ("vàng", "yellow"),
    Colour.GREEN: ("xanh", "green"),
}
_SIGNS: Final[Mapping[Signs, tuple[str, str]]] = {
    Signs.NONE: ("không", "none"),
    Signs.MILD: ("nhẹ", "mild"),
    Signs.SEVERE: ("nặng", "severe"),
}
_ILLNESSES: Final[Mapping[Illness, tuple[str, str]]] = {
    Illness.DIABETES: ("tiểu đường", "diabetes"),
    Illness.HEART: ("tim mạch", "heart"),
    Illness.LUNG: ("phổi", "lung"),
    Illness.KIDNEY: ("thận", "kidney"),
    Illness.LIVER: ("gan", "liver"),
    Illness.CANCER: ("ung thư", "cancer"),
    Illness.IMMUNE: ("suy giảm miễn dịch", "weak immune system"),
    Illness.OBESITY: ("béo phì", "obesity"),
    Illness.PREGNANCY: ("mang thai", "pregnancy"),
    Illness.OTHER: ("bệnh khác", "other"),
}
_EXPOSURES: Final[Mapping[Exposure, tuple[str, str]]] = {
    Exposure.NONE: ("", ""),
    Exposure.FACTOR: ("có yếu tố dịch tễ", "with a factor"),
    Exposure.CONTACT: ("F1", "contact (F1)"),
}
_NEWS: Final[Mapping[News, tuple[str, str]]] = {
    News.NEW: ("mới", "new"),
    News.CHANGED: ("có thay đổi", "changed"),
}
_BASES: Final[Mapping[Basis, tuple[str, str]]] = {
    Basis.PCR: ("PCR", "PCR"),
    Basis.POOLED_PRESUMPTIVE: ("Hàng và cột của mẻ gộp", "Rows and columns of a pool"),
    Basis.ANTIGEN_PRESUMPTIVE: ("Test nhanh", "Rapid test"),
    Basis.ANTIGEN_CONTACT: ("Test nhanh, F1", "Rapid test, contact"),
    Basis.ANTIGEN_SUSPECT: ("Test nhanh, có yếu tố", "Rapid test, with a factor"),
    Basis.ANTIGEN_TWICE: ("Hai test nhanh", "Two rapid tests"),
}
_SEXES: Final[Mapping[str, tuple[str, str]]] = {"male": ("nam", "male"), "female": ("nữ", "female")}


def plain(saying: Saying, key: str) -> str:
    """A heading or a label."""
    return saying.pick(*_PLAIN[key])


def section_words(saying: Saying, section: Section) -> str:
    return saying.pick(*_SECTIONS[section])


def todo(saying: Saying, section: Section) -> str:
    """What the team does about a person of this section, in one breath."""
    return saying.pick(*_TODO[section])


def basis_words(saying: Saying, line: Line) -> str:
    return saying.pick(*_BASES[line.basis])


def sex_words(saying: Saying, line: Line) -> str:
    return saying.pick(*_SEXES[line.sex]) if line.sex else ""


def colour_words(saying: Saying, colour: Colour | None) -> str:
    """A colour that nobody has given yet is said, and is not green."""
    return saying.pick(*_COLOURS[colour]) if colour else saying.pick("chưa phân loại", "no colour")


def signs_words(saying: Saying, line: Line) -> str:
    return saying.pick(*_SIGNS[line.signs]) if line.signs else ""


def illness_words(saying: Saying, line: Line) -> str:
    """What only the laboratory reads; unasked is empty, none is said."""
    known = line.laboratory.illnesses if line.laboratory else None
    if known is None:
        return ""
    return ", ".join(saying.pick(*_ILLNESSES[one]) for one in known) or saying.pick("không", "none")


def reason_words(saying: Saying, line: Line) -> str:
    """Under which order the swab was taken, and what the person was near."""
    return " · ".join(filter(None, (line.campaign, saying.pick(*_EXPOSURES[line.exposure]))))


def news_words(saying: Saying, line: Line) -> str:
    return saying.pick(*_NEWS[line.news]) if line.news else ""


def phone_words(line: Line) -> str:
    """+84912345218 → 0912345218: as people dial it, and a cell that must stay text."""
    if line.phone is None:
        return ""
    return "0" + line.phone.removeprefix("+84") if line.phone.startswith("+84") else line.phone


def of_when(listed: PositiveList, saying: Saying) -> str:
    """The day, or what is new since when, or that it is every open case; and of which area."""
    if listed.day is not None:
        when = saying.day(listed.day)
        if listed.last_day is not None and listed.last_day != listed.day:
            when = f"{when} – {saying.day(listed.last_day)}"
    elif listed.since is not None:
        when = plain(saying, "since") % saying.moment(listed.since)
    else:
        when = plain(saying, "open")
    return " · ".join(filter(None, (listed.area, when)))


def taken(listed: PositiveList, saying: Saying) -> str:
    """Who took the list, and when."""
    return plain(saying, "taken") % (listed.made_by, saying.full_moment(listed.made_at))


def complete(listed: PositiveList, saying: Saying) -> str:
    """Up to when nothing is missing, where that is not the moment of taking; else nothing."""
    if listed.complete_until is None:
        return ""
    return plain(saying, "complete") % saying.full_moment(listed.complete_until)
