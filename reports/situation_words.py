"""The words of the situation report, Vietnamese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reports.saying import Saying, Tongue
from reports.situation import FEW, Awaits, Situation, Stage
from reports.turnaround import Segment, Way

Pair = tuple[str, str]

_STAGES: Final[Mapping[StrEnum, Pair]] = {
    Stage.ON_THE_WAY: ("Trên đường đến", "On the way"),
    Stage.TO_POOL: ("Chờ gộp", "To be pooled"),
    Stage.TO_PLATE: ("Chờ lên đĩa", "To be plated"),
    Stage.RUNNING: ("Đang chạy máy", "On the analyser"),
    Stage.HELD: ("Kết quả đang giữ", "Result held"),
    Stage.RESOLVING: ("Mẻ dương, đang tách", "Positive pool, resolving"),
    Stage.TO_REVIEW: ("Chờ người duyệt", "To be reviewed"),
    Stage.SWAB_AGAIN: ("Phải lấy lại mẫu", "To be swabbed again"),
    Stage.REJECTED: ("Ống bị từ chối", "Tube rejected"),
    Stage.SWABBED_AGAIN: ("Đã lấy lại mẫu", "Swabbed again"),
    Stage.DONE: ("Đã có kết quả cuối", "Final result"),
}
_AWAITS: Final[Mapping[StrEnum, Pair]] = {
    Awaits.RECEPTION: ("tiếp nhận", "reception"),
    Awaits.POOLING: ("gộp", "pooling"),
    Awaits.PLATE: ("lên đĩa", "a plate"),
    Awaits.ANALYSER: ("máy đọc xong", "the analyser"),
    Awaits.REVIEW: ("người duyệt", "a reviewer"),
    Awaits.MEMBERS: ("xét nghiệm từng người", "the members' own tests"),
    Awaits.RESWAB: ("lấy lại mẫu", "new swabs"),
}
_SEGMENTS: Final[Mapping[StrEnum, Pair]] = {
    Segment.COLLECTED_RECEIVED: ("Lấy mẫu – tiếp nhận", "Swab – received"),
    Segment.RECEIVED_PLATED: ("Tiếp nhận – lên đĩa", "Received – plated"),
    Segment.PLATED_MEASURED: ("Lên đĩa – đọc xong", "Plated – measured"),
    Segment.MEASURED_RELEASED: ("Đọc xong – trả kết quả", "Measured – released"),
    Segment.MEASURED_NAMED: ("F0: đọc xong – gọi tên", "F0: measured – named"),
    Segment.NAMED_TOLD: ("F0: gọi tên – báo tổ", "F0: named – team told"),
    Segment.TOLD_CLAIMED: ("F0: báo tổ – nhận ca", "F0: told – claimed"),
    Segment.COLLECTED_RELEASED: ("Lấy mẫu – trả kết quả", "Swab – released"),
    Segment.COLLECTED_TOLD: ("F0: lấy mẫu – báo tổ", "F0: swab – team told"),
}
_WAYS: Final[Mapping[StrEnum, Pair]] = {
    Way.INDIVIDUAL: ("Mẫu đơn", "Tested alone"),
    Way.FIELD_POOL: ("Gộp ở thực địa", "Field pool"),
    Way.LAB_POOL: ("Gộp ở phòng XN", "Laboratory pool"),
}
_ALL: Final = {**_STAGES, **_AWAITS, **_SEGMENTS, **_WAYS}
_KEYS: Final = {(type(key), key.value): pair for key, pair in _ALL.items()}

ITEMS: Final[Mapping[str, Pair]] = {  # lims.work.views.stages.Item
    "on_the_way": ("Ống trên đường đến", "Tubes on the way"),
    "swab_again": ("Người phải lấy lại mẫu", "People to swab again"),
    "received_today": ("Ống tiếp nhận trong ngày", "Tubes received today"),
    "to_pipette": ("Ống gộp con phải hút", "Sub-pools to pipette"),
    "to_pool": ("Ống chờ gộp", "Tubes to pool"),
    "to_plate": ("Xét nghiệm chờ lên đĩa", "Tests to put on a plate"),
    "running": ("Đĩa chưa có kết quả", "Plates without results"),
    "held_runs": ("Lượt chạy đang giữ", "Runs held"),
    "held_results": ("Kết quả đang giữ", "Results held"),
    "positive": ("Dương tính chờ duyệt", "Positives to confirm"),
    "held_negative": ("Âm tính chờ duyệt", "Negatives held"),
    "inconclusive": ("Nghi ngờ chờ duyệt", "Inconclusive, to review"),
    "discordant": ("Mẻ không khớp", "Discordant pools"),
    "unmatched": ("Kết quả chưa rõ ống", "Results without a tube"),
    "corrections": ("Đính chính chờ duyệt", "Corrections to review"),
    "identity": ("Nhầm lẫn nhân thân", "Identity conflicts"),
    "addresses": ("F0 chưa rõ xã, phường", "F0 cases without a commune"),
    "unclaimed": ("Ca F0 chưa ai nhận", "F0 cases unclaimed"),
    "corrected": ("Đính chính chưa ai xác nhận", "Corrections not acknowledged"),
    "dead_notices": ("Thông báo không gửi được", "Notices not delivered"),
}

PLAIN: Final[Mapping[str, Pair]] = {
    "title": ("Báo cáo tình hình ngày", "Situation of the day"),
    "as_of": ("số liệu lúc", "as of"),
    "swabs": ("Mẫu đã lấy", "Swabs taken"),
    "done": ("Đã có kết quả cuối", "Final results"),
    "positive": ("Dương tính", "Positive"),
    "share": ("Tỷ lệ dương", "Positivity"),
    "late": ("Quá hạn", "Overdue"),
    "where": ("Mẫu của ngày đang ở đâu", "Where the day's swabs are"),
    "not_done": ("chưa có kết quả cuối", "without a final result"),
    "by_area": ("Tỷ lệ dương theo nơi ở", "Positivity by commune of residence"),
    "not_final": (
        "%s mẫu đã có kết quả, trong đó %s còn chờ kết quả cuối: bảng theo xã đếm cả những mẫu này",
        "%s swabs have an answer, %s of them not final yet: the communes count those too",
    ),
    "interval": (
        "vạch: khoảng tin cậy 95 % (Wilson), trên số mẫu đã có kết quả; vòng: dưới 20 mẫu",
        "line: 95% interval (Wilson), of the swabs with an answer; ring: under 20 swabs",
    ),
    "turnaround": ("Thời gian từng chặng", "Turnaround by segment"),
    "dots": (
        "chấm đặc: trung vị; chấm rỗng: 90 % số mẫu nhanh hơn",
        "dot: median; ring: 90% of swabs are faster",
    ),
    "through_day": ("Trong ngày, theo giờ", "Through the day, by hour"),
    "collected": ("Lấy mẫu", "Swabbed"),
    "received": ("Tiếp nhận", "Received"),
    "answered": ("Trả kết quả", "Released"),
    "open_pools": ("Mẻ gộp chưa xong", "Open pools"),
    "open_now": ("mọi mẻ đang mở, của bất kỳ ngày nào", "all that are open, of any day"),
    "overdue": ("Quá hạn trong phòng xét nghiệm", "Overdue in the laboratory"),
    "kits": ("Test nhanh theo lô kít", "Rapid tests by kit lot"),
    "stage": ("Chặng", "Stage"),
    "oldest": ("Lâu nhất từ", "Oldest since"),
    "area": ("Xã, phường", "Commune"),
    "province": ("Tỉnh, thành", "Province"),
    "known": ("Có kết quả", "With an answer"),
    "interval_short": ("Khoảng 95 %", "95% interval"),
    "low": ("Cận dưới 95 %", "95% from"),
    "high": ("Cận trên 95 %", "95% to"),
    "segment": ("Đoạn", "Segment"),
    "way": ("Cách xét nghiệm", "How tested"),
    "median": ("Trung vị", "Median"),
    "p90": ("p90", "p90"),
    "median_min": ("Trung vị, phút", "Median, minutes"),
    "p90_min": ("p90, phút", "p90, minutes"),
    "barcode": ("Mã ống", "Barcode"),
    "people": ("Người", "People"),
    "pools": ("Mẻ", "Pools"),
    "waits_for": ("Đang chờ", "Waits for"),
    "since": ("Từ lúc", "Since"),
    "kit": ("Kít", "Kit"),
    "lot": ("Lô kít", "Kit lot"),
    "tests": ("Test", "Tests"),
    "invalid": ("Không đọc được", "Invalid"),
    "confirmed": ("PCR khẳng định", "Confirmed by PCR"),
    "refuted": ("PCR không thấy", "Not found by PCR"),
    "hour": ("Giờ", "Hour"),
    "nowhere": ("Chưa rõ nơi ở", "No commune known"),
    "waiting": ("Đang chờ", "Waiting"),
    "what": ("Việc", "What"),
    "others": ("và %s xã, phường khác trong bảng XLSX", "and %s more communes in the XLSX"),
    "nobody": ("Không ai được lấy mẫu trong ngày này.", "Nobody was swabbed on this day."),
    "nobody_do": (
        "Chọn ngày khác, hoặc đăng ký mẫu đầu tiên ở trang Lấy mẫu.",
        "Choose another day, or register the first swab on the page Collect.",
    ),
    "page": ("Trang %s/%s", "Page %s of %s"),
    "max": ("cao nhất", "peak"),
}


def word(saying: Saying, key: StrEnum) -> str:
    """The word of a stage, a segment, a way or what a pool waits for."""
    vi, en = _KEYS[type(key), key.value]
    return vi if saying.tongue is Tongue.VI else en


def item_word(saying: Saying, item: str) -> str:
    """What waits; an item this release has no words for by its own name."""
    vi, en = ITEMS.get(item, (item, item))
    return saying.pick(vi, en)


def plain(saying: Saying, key: str) -> str:
    """A heading or a label."""
    vi, en = PLAIN[key]
    return saying.pick(vi, en)


def not_final(saying: Saying, situation: Situation) -> str:
    """Why the communes add up to more than the final results; empty where they do not."""
    if not situation.not_final:
        return ""
    said = (saying.number(situation.known), saying.number(situation.not_final))
    return plain(saying, "not_final") % said


def positivity(saying: Saying, situation: Situation) -> str:
    """2,5 %, or 3/3 where too few have an answer for a percentage."""
    if 0 < situation.known < FEW:
        return f"{saying.number(situation.positive)}/{saying.number(situation.known)}"
    return saying.share(situation.share)
