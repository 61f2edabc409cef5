"""What is left of a day on disk: our HTML page, the JSON, every exchange, and locust's report."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from locust.env import Environment
from locust.html import get_html_report

from loadtests.day.charts import line_chart
from loadtests.day.meter import Book
from loadtests.day.objectives import OBJECTIVES
from loadtests.day.plainly import plainly
from loadtests.day.timeline import Timeline
from loadtests.day.verdict import Verdict

PAGE, DATA, LOCUST = "day.html", "day.json", "locust.html"
EXCHANGES = "exchanges.parquet"


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report is."""

    page: Path
    data: Path
    locust: Path
    exchanges: Path


def write(
    verdict: Verdict, timeline: Timeline, book: Book, environment: Environment, folder: Path
) -> Written:
    """Replaces an earlier day's report in that folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(folder / PAGE, folder / DATA, folder / LOCUST, folder / EXCHANGES)
    exchanged(book).write_parquet(written.exchanges)
    data = json.dumps(verdict.as_json(), indent=2, ensure_ascii=False)
    written.data.write_text(data + "\n", encoding="utf-8")
    locusts = str(get_html_report(environment))  # type: ignore[no-untyped-call] # locust's own
    written.locust.write_text(locusts, encoding="utf-8")
    written.page.write_text(page(verdict, timeline), encoding="utf-8")
    return written


def exchanged(book: Book) -> pl.DataFrame:
    """One row each: `at_s` of the day's clock at its end, `name`, `took_ms`, `judged`, `said`."""
    rows = [(e.at_s, e.name, e.took_ms, e.judged.value, e.said) for e in book.exchanges]
    columns = {"at_s": pl.Float64, "name": pl.String, "took_ms": pl.Float64}
    return pl.DataFrame(
        rows, schema={**columns, "judged": pl.String, "said": pl.String}, orient="row"
    )


def page(verdict: Verdict, timeline: Timeline) -> str:
    """One file that loads nothing."""
    templates = Templates(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html").render(
        v=verdict,
        r=verdict.reckoned,
        plainly=plainly(verdict.objectives, verdict.machine),
        charts=_charts(timeline),
        locust=LOCUST,
        data=DATA,
    )


def _charts(day: Timeline) -> list[tuple[str, str]]:
    coming = {"came": day.came, "registered": day.registered}
    waves = {"results": day.results}
    told = {"owed": day.owed, "delivered": day.delivered}
    speed = {"median": day.p50_ms, "p99": day.p99_ms}
    limit = OBJECTIVES[0].limit_ms
    pictures = (
        ("People who came and people registered", "", coming, None),
        ("Results, in the waves of the cyclers", "", waves, None),
        ("Notices owed and delivered", "", told, None),
        ("One registration, milliseconds", "ms", speed, limit),
    )
    return [
        (title, line_chart(title, unit, series, day.until_h, bands=day.faults, limit=bar))
        for title, unit, series, bar in pictures
    ]
