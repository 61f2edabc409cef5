"""The words of the positive list, Vietnamese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lims.domain.outcomes import Basis
from reports.positive_list import Line, PositiveList, Section
from reports.saying import Saying

_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Danh sách F0", "List of F0 cases"),
    "case": ("Ca", "Case"),
    "section": ("Tình trạng", "Standing"),
    "name": ("Họ tên", "Name"),
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


def phone_words(line: Line) -> str:
    """+84912345218 → 0912345218: as people dial it, and a cell that must stay text."""
    if line.phone is None:
        return ""
    return "0" + line.phone.removeprefix("+84") if line.phone.startswith("+84") else line.phone


def of_when(listed: PositiveList, saying: Saying) -> str:
    """The day, or that it is every open case."""
    return plain(saying, "open") if listed.day is None else saying.day(listed.day)


def taken(listed: PositiveList, saying: Saying) -> str:
    """Who took the list, and when."""
    return plain(saying, "taken") % (listed.made_by, saying.full_moment(listed.made_at))
