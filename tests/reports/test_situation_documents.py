"""The situation as charts, paper, cells and figures: the same bytes, and every word there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from reportlab.pdfgen.canvas import Canvas

from lims.work.views.stages import Item
from reports import situation_words, tokens
from reports.charts import NARROW, narrow_charts, situation_charts
from reports.saying import Saying, Tongue
from reports.situation import Awaits, Form, Stage
from reports.situation_forms import situation_in
from reports.turnaround import OF_EVERYBODY, OF_F0, Segment, Turnaround, Way
from reports.vector import Drawing, NotDrawn
from tests.reports.a_day import ZONE, a_day, no_day
from tests.reports.printed import overlaps, words

VI, EN = Saying(Tongue.VI, ZONE), Saying(Tongue.EN, ZONE)
LOOK = Path(__file__).parents[2] / "lims/web/static/look.css"


def text_of(document: bytes) -> str:
    pages = pypdfium2.PdfDocument(document)
    return "\n".join(page.get_textpage().get_text_range() for page in pages)


@pytest.mark.parametrize("form", Form)
def test_the_same_day_gives_the_same_bytes(form: Form) -> None:
    assert situation_in(form, a_day(), VI) == situation_in(form, a_day(), VI)


def test_paper_says_the_figures_in_vietnamese_and_in_english() -> None:
    vietnamese = text_of(situation_in(Form.PDF, a_day(), VI))
    for said in ("Báo cáo tình hình ngày 11/09/2021", "22.049", "số liệu lúc 11/09/2021 21:05"):
        assert said in vietnamese
    assert re.search(r"312\s+·\s+20 quá hạn", vietnamese)  # a chart's label is text, not a picture
    english = text_of(situation_in(Form.PDF, a_day(), EN))
    for said in ("Situation of the day 11 Sep 2021", "22,049", "880 late", "& <b>bạn</b>"):
        assert said in english
    assert re.search(r"Page 1 of \d", english)


def test_every_letter_of_the_paper_is_drawn_by_the_one_typeface() -> None:
    """A letter the face lacks would be a box, or another face."""
    fonts = set(re.findall(rb"/BaseFont /([A-Za-z+\-]+)", situation_in(Form.PDF, a_day(), VI)))
    assert fonts and all(b"Roboto" in font for font in fonts)


def test_a_day_without_tests_is_a_page_that_says_so() -> None:
    assert situation_charts(no_day(), EN) == {}
    document = situation_in(Form.PDF, no_day(), EN)
    assert "Nobody was swabbed on this day." in text_of(document)
    assert len(pypdfium2.PdfDocument(document)) == 1
    assert situation_in(Form.XLSX, no_day(), EN).startswith(b"PK")


def test_a_hundred_communes_end_on_paper_and_go_on_in_cells() -> None:
    day = a_day(communes=130)
    assert "and 70 more communes in the XLSX" in text_of(situation_in(Form.PDF, day, EN))
    book = CalamineWorkbook.from_filelike(BytesIO(situation_in(Form.XLSX, day, EN)))
    assert len(book.get_sheet_by_index(1).to_python()) == 131


def test_cells_keep_text_as_text_and_compute_nothing() -> None:
    raw = situation_in(Form.XLSX, a_day(), VI)
    book = CalamineWorkbook.from_filelike(BytesIO(raw))
    kits = book.get_sheet_by_index(6).to_python()
    assert kits[1][:3] == ["Kít VN", "00198", 400]
    with ZipFile(BytesIO(raw)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if "sheets/sheet" in name]
    assert sheets and not any(b"<f>" in sheet for sheet in sheets)
    assert all(b'state="frozen"' in sheet for sheet in sheets)


def test_figures_for_machines_carry_units_and_utc() -> None:
    said = json.loads(situation_in(Form.JSON, a_day(), EN))
    assert said["taken_at"] == "2021-09-11T14:05:00+00:00"
    assert said["turnaround"][0] == {
        "way": "individual",
        "segment": "collected_received",
        "swabs": 400,
        "median_min": 84.0,
        "p90_min": 137.5,
    }


def test_a_chart_has_no_style_no_script_and_only_the_houses_colours() -> None:
    charts = situation_charts(a_day(), VI)
    assert list(charts) == ["stages", "areas", "hours", "turnaround"]
    for svg in charts.values():
        assert "style" not in svg and "<script" not in svg and "http://www.w3.org" in svg
        assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= set(tokens.LIGHT.values())
        on_page = tokens.as_variables(svg)
        assert "#" not in on_page and "var(--ink)" in on_page and "Roboto" not in on_page
        assert set(re.findall(r"#[0-9a-f]{6}", tokens.themed(svg, tokens.DARK))) <= set(
            tokens.DARK.values()
        )


def test_a_name_in_a_chart_is_text_and_no_markup() -> None:
    day = a_day(communes=1)
    line = day.areas[0]
    hostile = type(line)(
        **{
            **{name: getattr(line, name) for name in line.__dataclass_fields__},
            "area": "<script>x</script>",
        }
    )
    made = situation_charts(
        type(day)(
            **{
                **{name: getattr(day, name) for name in day.__dataclass_fields__},
                "areas": [hostile],
            }
        ),
        VI,
    )
    assert "<script" not in made["areas"] and "&lt;script" in made["areas"]


@pytest.mark.parametrize(("theme", "css"), [(tokens.LIGHT, 0), (tokens.DARK, 1)])
def test_the_colours_are_the_tokens_of_the_style_sheet(theme: dict[str, str], css: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", LOOK.read_text(encoding="utf-8"), re.DOTALL)
    told = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", blocks[css]))
    full = {n: c if len(c) == 7 else "#" + "".join(x * 2 for x in c[1:]) for n, c in told.items()}
    assert {name: full[name] for name in theme} == theme


def test_what_paper_cannot_draw_is_refused_and_not_left_out() -> None:
    curve = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    for part in (
        '<path d="M0,0C1,1,2,2,3,3" stroke="#000000"/>',
        '<image href="x"/>',
        '<g transform="rotate(30)"/>',
    ):
        with pytest.raises(NotDrawn):
            Drawing.of(curve.format(part)).draw_on(Canvas(BytesIO()), 0, 0, width=9)


@pytest.mark.parametrize("saying", [VI, EN])
def test_everything_has_its_word_in_both_languages(saying: Saying) -> None:
    for kind in (Stage, Awaits, Segment, Way):
        for key in kind:
            assert situation_words.word(saying, key)
    assert set(situation_words.ITEMS) == set(map(str, Item))


@pytest.mark.parametrize(
    ("minutes", "vi", "en"),
    [
        (0.2, "12 giây", "12 s"),
        (14.4, "14 phút", "14 min"),
        (65, "1 giờ 05", "1 h 05"),
        (59.7, "1 giờ 00", "1 h 00"),
        (76 * 60, "3 ngày 4 giờ", "3 d 4 h"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(minutes: float, vi: str, en: str) -> None:
    assert (VI.lasting(minutes), EN.lasting(minutes)) == (vi, en)


def test_numbers_follow_the_language() -> None:
    assert (VI.number(1204), EN.number(1204), VI.number(24.8, 1)) == ("1.204", "1,204", "24,8")
    assert (VI.share(0.0248), EN.share(0.0248), VI.share(0.00123)) == ("2,5 %", "2.5%", "0,12 %")
    assert VI.share(None) == "–"


def test_two_of_two_is_no_hundred_percent_and_no_axis_goes_beyond_it() -> None:
    day = a_day(communes=2)
    few = replace(day.areas[0], known=2, positive=2, share=1.0, low=0.342, high=1.0)
    drawn = situation_charts(replace(day, areas=[few, day.areas[1]]), EN)["areas"]
    said = re.findall(r">([^<>]+)</text>", drawn)
    assert "2/2  ·  too few" in said and "2.5%  ·  20/799" in said
    ticks = [float(one.removesuffix("%")) for one in said if re.fullmatch(r"\d+%", one)]
    assert max(ticks) == 100
    assert "2/2" in words(situation_in(Form.PDF, replace(day, areas=[few], positive=2), EN))[0]


def test_the_charts_of_a_full_day_share_its_first_page() -> None:
    document = situation_in(Form.PDF, a_day(), EN)
    first = words(document)[0]
    for heading in ("Where the day's swabs are", "Positivity by commune", "Through the day"):
        assert heading in first
    assert "Turnaround by segment" in words(document)[1]
    assert not overlaps(document)


@pytest.mark.parametrize("segments", [OF_EVERYBODY, (*OF_EVERYBODY, *OF_F0)])
def test_a_day_in_few_communes_leaves_no_empty_first_page(segments: tuple[Segment, ...]) -> None:
    took = [Turnaround(way, segment, 4, 84.0, 137.5) for way in Way for segment in segments]
    document = situation_in(Form.PDF, replace(a_day(communes=3), turnaround=took), EN)
    assert "Turnaround by segment" in words(document)[0]
    assert not overlaps(document)


@pytest.mark.parametrize(
    ("p90_min", "unit"), [(0.1, "s"), (1.9, "s"), (45, "min"), (600, "h"), (5 * 1440, "d")]
)
def test_the_scale_of_turnaround_counts_by_what_is_short_to_say(p90_min: float, unit: str) -> None:
    took = [Turnaround(way, Segment.RECEIVED_PLATED, 4, p90_min / 2, p90_min) for way in Way]
    drawn = situation_charts(replace(a_day(), turnaround=took), EN)["turnaround"]
    ticks = re.findall(r">([\d.,]+) (s|min|h|d)</text>", drawn)
    assert ticks and {one[1] for one in ticks} == {unit}
    assert all(len(one[0]) <= 3 for one in ticks)


def test_on_a_telephone_the_words_of_a_commune_are_inside_the_drawing() -> None:
    assert narrow_charts(no_day(), VI) == {}
    drawn = narrow_charts(a_day(), VI)["areas"]
    assert Drawing.of(drawn).width <= NARROW + 20  # a tick's label may reach over the edge
    assert "Phường Tân Định" in drawn and "40/800" in drawn
    told = set(re.findall(r'(?:fill|stroke)="(?!none|transparent)([^"]+)"', drawn))
    assert told <= set(tokens.LIGHT.values())  # black words would be gone at night
