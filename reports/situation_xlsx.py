"""The tables of the situation as a workbook: a sheet each, every commune, numbers as numbers."""

from __future__ import annotations

from reports.saying import Saying
from reports.situation import Situation
from reports.situation_words import item_word, plain, word
from reports.workbook import About, Sheet, workbook


def situation_xlsx(situation: Situation, saying: Saying) -> bytes:
    """The workbook; the first sheet says which day, whose, and as of when."""
    title = f"{plain(saying, 'title')} {saying.day(situation.day)}"
    taken = saying.full_moment(situation.taken_at)
    above = (title, f"{situation.site} · {plain(saying, 'as_of')} {taken}")
    sheets = (
        _stages(situation, saying, above),
        _areas(situation, saying),
        _turnaround(situation, saying),
        _hours(situation, saying),
        _pools(situation, saying),
        _overdue(situation, saying),
        _kits(situation, saying),
    )
    about = About(title, situation.site, situation.taken_at, foot=" · ".join(above))
    return workbook(sheets, about)


def _heads(saying: Saying, *keys: str) -> list[str]:
    return [plain(saying, key) for key in keys]


def _stages(situation: Situation, saying: Saying, above: tuple[str, ...]) -> Sheet:
    return Sheet(
        plain(saying, "stage"),
        _heads(saying, "stage", "swabs", "late", "oldest"),
        [
            (word(saying, line.stage), line.swabs, line.late, saying.moment(line.oldest_at))
            for line in situation.stages
        ],
        (30, 14, 14, 18),
        above,
    )


def _areas(situation: Situation, saying: Saying) -> Sheet:
    keys = ("area", "province", "swabs", "known", "positive", "share", "low", "high")
    return Sheet(
        plain(saying, "area"),
        _heads(saying, *keys),
        [
            (
                line.area or plain(saying, "nowhere"),
                line.province,
                line.swabs,
                line.known,
                line.positive,
                line.share,
                line.low,
                line.high,
            )
            for line in situation.areas
        ],
        (34, 20, 12, 14, 12, 12, 12, 12),
        shares=frozenset({5, 6, 7}),
    )


def _turnaround(situation: Situation, saying: Saying) -> Sheet:
    return Sheet(
        plain(saying, "turnaround"),
        _heads(saying, "way", "segment", "swabs", "median_min", "p90_min"),
        [
            (
                word(saying, line.way),
                word(saying, line.segment),
                line.swabs,
                round(line.median_min, 2),
                round(line.p90_min, 2),
            )
            for line in situation.turnaround
        ],
        (28, 30, 12, 16, 16),
    )


def _hours(situation: Situation, saying: Saying) -> Sheet:
    return Sheet(
        plain(saying, "hour"),
        _heads(saying, "hour", "collected", "received", "answered"),
        [
            (f"{line.hour:02d}:00", line.collected, line.received, line.answered)
            for line in situation.hours
        ],
        (10, 14, 14, 14),
    )


def _pools(situation: Situation, saying: Saying) -> Sheet:
    return Sheet(
        plain(saying, "open_pools"),
        _heads(saying, "barcode", "way", "people", "known", "since", "waits_for"),
        [
            (
                line.barcode,
                saying.pick(
                    "gộp tại thực địa" if line.kind == "field_pool" else "gộp tại phòng xét nghiệm",
                    "field pool" if line.kind == "field_pool" else "laboratory pool",
                ),
                line.people,
                line.people - line.unsolved,
                saying.moment(line.since),
                word(saying, line.awaits),
            )
            for line in situation.oldest_pools
        ],
        (16, 26, 10, 14, 16, 28),
    )


def _overdue(situation: Situation, saying: Saying) -> Sheet:
    return Sheet(
        plain(saying, "late"),
        _heads(saying, "what", "waiting", "late", "oldest"),
        [
            (item_word(saying, line.item), line.waiting, line.late, saying.moment(line.oldest_at))
            for line in situation.waiting
        ],
        (40, 12, 12, 18),
    )


def _kits(situation: Situation, saying: Saying) -> Sheet:
    return Sheet(
        plain(saying, "lot"),
        _heads(saying, "kit", "lot", "tests", "positive", "invalid", "confirmed", "refuted"),
        [
            (
                line.kit,
                line.lot,
                line.tests,
                line.positive,
                line.invalid,
                line.confirmed,
                line.refuted,
            )
            for line in situation.kits
        ],
        (28, 20, 12, 12, 14, 18, 18),
    )
