"""Invented people: names as Vietnamese people have them, numbers that nobody can have.

Telephones begin with 074, a prefix the national plan has not given out; national numbers with
999, which is no birth place and no country (circular 07/2016/TT-BCA). Both read as valid.
"""

from random import Random
from typing import Final

FEMALE: Final = "female"
MALE: Final = "male"

_FAMILY: Final = {
    "Nguyễn": 38, "Trần": 12, "Lê": 10, "Phạm": 7, "Hoàng": 5, "Phan": 5, "Vũ": 4, "Võ": 3,
    "Đặng": 3, "Bùi": 3, "Đỗ": 2, "Hồ": 2, "Ngô": 2, "Dương": 2, "Lý": 1, "Đinh": 1,
}  # fmt: skip
_MIDDLE: Final = {
    FEMALE: ("Thị", "Thị", "Ngọc", "Thu", "Thanh", "Kim", "Bích", "Mỹ", "Diệu"),
    MALE: ("Văn", "Văn", "Đức", "Hữu", "Quang", "Minh", "Công", "Xuân", "Đình"),
}
_GIVEN: Final = {
    FEMALE: (
        "Anh", "Ánh", "Bình", "Chi", "Dung", "Duyên", "Giang", "Hà", "Hạnh", "Hằng", "Hiền",
        "Hoa", "Hồng", "Huệ", "Hương", "Lan", "Liên", "Loan", "Mai", "Nga", "Ngân", "Nhung",
        "Oanh", "Phương", "Quỳnh", "Thảo", "Thủy", "Trang", "Tuyết", "Vân", "Yến",
    ),
    MALE: (
        "An", "Bảo", "Cường", "Dũng", "Đạt", "Đông", "Giáp", "Hải", "Hậu", "Hiếu", "Hùng",
        "Huy", "Khải", "Khánh", "Kiên", "Lâm", "Long", "Lộc", "Nam", "Nghĩa", "Phong", "Phúc",
        "Quân", "Sơn", "Tâm", "Thắng", "Thịnh", "Toàn", "Trung", "Tuấn", "Việt",
    ),
}  # fmt: skip
_HAMLETS: Final = ("Đông", "Đoài", "Thượng", "Hạ", "Bến Nứa", "Cây Đa", "Giếng Đá", "Gò Sỏi")


def family_name(rng: Random) -> str:
    """By about how common each is."""
    return rng.choices(list(_FAMILY), weights=list(_FAMILY.values()))[0]


def full_name(rng: Random, family: str, sex: str) -> str:
    """Family, middle, given."""
    return f"{family} {rng.choice(_MIDDLE[sex])} {rng.choice(_GIVEN[sex])}"


def phone(rng: Random) -> str:
    """As people say it, with the leading nought."""
    return f"074{rng.randrange(10**7):07d}"


def national_id(serial: int, birth_year: int, sex: str) -> str:
    """Agrees with the birth year and sex; the serial keeps the numbers of one draw apart."""
    century_and_sex = 2 * (birth_year // 100 - 19) + (sex == FEMALE)
    return f"999{century_and_sex}{birth_year % 100:02d}{serial % 10**6:06d}"


def address(rng: Random) -> str:
    """A door in a hamlet that is on no map."""
    return f"Số {rng.randrange(1, 190)}, thôn {rng.choice(_HAMLETS)}"
