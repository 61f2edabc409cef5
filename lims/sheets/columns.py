"""Which column holds what: headings as laboratories and communes write them, matched by words."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from lims.domain.identity import name_key


class Column(StrEnum):
    """What a column may hold. A form with one birth year column a sex says both at once."""

    BARCODE = "barcode"
    NAME = "name"
    BIRTH = "birth"
    BIRTH_MALE = "birth_male"
    BIRTH_FEMALE = "birth_female"
    SEX = "sex"
    PHONE = "phone"
    NATIONAL_ID = "national_id"
    ADDRESS = "address"
    AREA = "area"
    WORK_AREA = "work_area"
    WORK_ZONE = "work_zone"
    HOME_ZONE = "home_zone"
    COLLECTED_AT = "collected_at"
    COLLECTED_TIME = "collected_time"


NEEDED: Final = (Column.BARCODE, Column.NAME)
UNUSED: Final = ""
Mapped = tuple[Column | None, ...]
"""For each column of the file from the left, what it holds; None is not used."""

_HEADINGS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.BARCODE: (
        *("mã ống", "ống", "tube", "tube code", "barcode", "mã vạch", "mã mẫu", "mã số mẫu"),
        *("mã bệnh phẩm", "số ống", "mã ống mẫu", "mã xét nghiệm", "sample id", "specimen id"),
    ),
    Column.NAME: (
        *("họ và tên", "họ tên", "tên", "họ và tên người được lấy mẫu", "họ tên bệnh nhân"),
        *("tên bệnh nhân", "họ và tên bệnh nhân", "full name", "name", "patient name"),
        *("người được lấy mẫu", "họ và tên người được xét nghiệm", "họ và tên (chữ in hoa)"),
    ),
    Column.BIRTH: (
        *("năm sinh", "ngày sinh", "ngày tháng năm sinh", "ngày, tháng, năm sinh", "ns"),
        *("birth", "birth year", "birth date", "year of birth", "date of birth", "dob", "yob"),
        *("ngày sinh/năm sinh", "năm sinh/ngày sinh", "birth date or year"),
        "ngày hoặc năm sinh",
    ),
    Column.BIRTH_MALE: ("năm sinh / nam", "ngày sinh / nam", "tuổi / nam", "birth year / male"),
    Column.BIRTH_FEMALE: (
        *("năm sinh / nữ", "ngày sinh / nữ", "tuổi / nữ", "birth year / female"),
    ),
    Column.SEX: ("giới tính", "giới", "phái", "nam/nữ", "sex", "gender"),
    Column.PHONE: (
        *("điện thoại", "số điện thoại", "sđt", "số đt", "đt", "điện thoại liên hệ", "phone"),
        *("số điện thoại liên hệ", "di động", "mobile", "phone number", "telephone", "tel"),
    ),
    Column.NATIONAL_ID: (
        *("cccd", "số cccd", "số định danh", "cmnd/cccd", "cccd/cmnd", "số cmnd/cccd", "cmnd"),
        *("số cccd/cmnd", "căn cước công dân", "căn cước", "mã định danh", "số căn cước"),
        *(
            "card number",
            "national id",
            "id card",
            "id number",
            "cmt",
            "cmnd/cccd/hộ chiếu",
            "số cmnd",
        ),
    ),
    Column.ADDRESS: (
        *("địa chỉ", "địa chỉ nơi ở", "số nhà", "địa chỉ thường trú", "nơi cư trú", "address"),
        *("địa chỉ hiện tại", "chỗ ở hiện nay", "số nhà, đường", "địa chỉ liên hệ"),
    ),
    Column.AREA: (
        *("phường xã", "xã phường", "phường/xã", "xã/phường", "nơi ở", "phường", "xã", "area"),
        *("xã/phường/thị trấn", "phường/xã/thị trấn", "mã xã", "commune", "ward"),
    ),
    Column.WORK_AREA: ("nơi làm việc", "nơi làm", "xã nơi làm việc", "work area", "work commune"),
    Column.WORK_ZONE: (
        *("khu làm việc", "khu công nghiệp", "kcn", "zone", "work zone", "industrial zone"),
    ),
    Column.HOME_ZONE: (
        *("khu lưu trú", "khu cách ly", "ký túc xá", "dormitory", "home zone", "quarantine site"),
    ),
    Column.COLLECTED_AT: (
        *("lấy lúc", "thời gian lấy", "thời gian lấy mẫu", "ngày lấy mẫu", "ngày lấy"),
        *(
            "ngày giờ lấy mẫu",
            "collected at",
            "collected",
            "collection date",
            "sampling date",
            "taken on",
        ),
    ),
    Column.COLLECTED_TIME: ("giờ lấy", "giờ lấy mẫu", "collection time", "sampling time"),
}
_PUNCTUATION: Final = re.compile(r"[^a-z0-9/]+")


def heading_key(heading: str) -> str:
    """`Họ  và tên (*)` → `ho va ten`: what headings are compared by."""
    plain = _PUNCTUATION.sub(" ", name_key(heading))
    return re.sub(r"\s*/\s*", "/", plain).strip()


_BY_KEY: Final = {
    heading_key(said): column
    for column, others in _HEADINGS.items()
    for said in (column.value, *others)
}
KNOWN_HEADINGS: Final = frozenset(_BY_KEY)


def column_of(heading: str) -> Column | None:
    """What a heading means, if it is one we know."""
    return _BY_KEY.get(heading_key(heading))


_WITHIN: Final = tuple(
    (heading_key(said), column)
    for said, column in (
        ("mã ống", Column.BARCODE),
        ("mã mẫu", Column.BARCODE),
        ("họ và tên", Column.NAME),
        ("họ tên", Column.NAME),
        ("ngày sinh", Column.BIRTH),
        ("năm sinh", Column.BIRTH),
        ("giới tính", Column.SEX),
        ("điện thoại", Column.PHONE),
        ("cccd", Column.NATIONAL_ID),
        ("căn cước", Column.NATIONAL_ID),
        ("địa chỉ", Column.ADDRESS),
        ("ngày lấy mẫu", Column.COLLECTED_AT),
        ("giờ lấy mẫu", Column.COLLECTED_TIME),
    )
)


def guessed(heading: str) -> Column | None:
    """What a longer heading probably means, for a person to confirm: `Họ tên chủ hộ`."""
    key = f" {heading_key(heading)} "
    exact = column_of(heading)
    return exact or next((column for said, column in _WITHIN if f" {said} " in key), None)


def matched(headings: Sequence[str]) -> Mapped:
    """A first guess for each heading; of two that mean the same, the first counts."""
    known = {column_of(heading) for heading in headings}
    mapped: list[Column | None] = []
    for heading in headings:
        column = column_of(heading)
        if column is None and guessed(heading) not in known:
            column = guessed(heading)
        mapped.append(None if column in mapped else column)
    return tuple(mapped)


def lacking(mapped: Mapped) -> tuple[Column, ...]:
    """The columns that a list cannot do without and this mapping has not."""
    return tuple(column for column in NEEDED if column not in mapped)


def twice(mapped: Mapped) -> tuple[Column, ...]:
    """The columns that are named more than once."""
    return tuple(c for c in Column if sum(one is c for one in mapped) > 1)


def fingerprint(headings: Sequence[str]) -> str:
    """The same for every list under the same headings in the same order, however accented."""
    return hashlib.sha256("\x1f".join(map(heading_key, headings)).encode()).hexdigest()
