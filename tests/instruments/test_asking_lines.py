"""A GeneXpert asks on its line, and the whole gateway answers what its LIMS says, or nothing."""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from instruments.analyser_messages import genexpert_message
from instruments.gateway import main
from tests.instruments.bench_stand import Bench, Running, bench_in
from tests.instruments.xpert_stand import Xpert, asks_for
from tests.until import until

ONE, TWO = "TT7K40FQ9XB", "TT7K40FQAXC"
LINE = {
    "instrument": "GX-1",
    "driver": "genexpert",
    "host_query": True,
    "tests": {"sars-cov-2": "COV2"},
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        bench.lims.orders = [ordered(ONE), ordered(TWO, urgent=True)]
        yield bench


@pytest.fixture
def xpert(bench: Bench) -> Iterator[Xpert]:
    xpert = Xpert(bench.folder / "GX-1")
    yield xpert
    xpert.close()


def ordered(specimen: str, *, urgent: bool = False) -> dict[str, Any]:
    return {"specimen": specimen, "assays": ["sars-cov-2"], "urgent": urgent}


def served(bench: Bench) -> Running:
    gateway = bench.gateway_of(LINE)
    until(lambda: gateway.events("link up"), "the line")
    return gateway


def orders(records: list[str]) -> list[str]:
    return [record for record in records if record.startswith("O|")]


def test_a_tube_s_order_is_asked_for_told_and_measured(bench: Bench, xpert: Xpert) -> None:
    served(bench)
    xpert.says(*asks_for(TWO))
    head, *told, end = xpert.hears()
    assert head.startswith(r"H|@^\|A-")
    assert head.split("|")[9] == "GeneXpert PC^GeneXpert^6.5", "to the one that asked"
    assert orders(told) == [f"O|1|{TWO}||^^^COV2|S||||||A||||ORH||||||||||Q"]
    assert end == "L|1|F"
    assert bench.lims.asked == [
        {"instrument": "GX-1", "assays": ["sars-cov-2"], "specimens": [TWO]}
    ]
    ended = datetime(2021, 11, 21, 9, 12, tzinfo=UTC)
    xpert.says(*genexpert_message([TWO], {"E": 24.1}, call="POSITIVE", serial="8", ended_at=ended))
    until(lambda: bench.lims.taken, "the result")
    (capture,) = bench.lims.captures
    assert (capture.measurements[0].specimen, capture.quarantine) == (TWO, None)


def test_all_is_answered_with_the_work_list_and_a_strange_tube_with_no_order(
    bench: Bench, xpert: Xpert
) -> None:
    served(bench)
    xpert.says(*asks_for())
    assert [record.split("|")[2] for record in orders(xpert.hears())] == [ONE, TWO]
    assert bench.lims.asked[0]["specimens"] is None
    xpert.says(*asks_for("TT7K40FQ000"))
    assert xpert.hears()[1:] == ["L|1|I"]


def test_with_the_lims_away_nothing_is_answered_and_results_are_taken_all_the_same(
    bench: Bench, xpert: Xpert
) -> None:
    bench.lims.start()
    bench.lims.stop()
    gateway = served(bench)
    xpert.says(*asks_for(ONE))
    until(lambda: gateway.events("orders not told"), "the log's word")
    assert xpert.hears_nothing(), "no order would be a lie"
    ended = datetime(2021, 11, 21, 9, 12, tzinfo=UTC)
    xpert.says(*genexpert_message([ONE], {"E": None}, call="NEGATIVE", serial="8", ended_at=ended))
    bench.lims.start()
    until(lambda: bench.lims.taken, "the result")
    assert bench.lims.asked == [], "nor is it asked for later"
    assert xpert.hears_nothing()
    xpert.says(*asks_for(ONE))
    assert len(orders(xpert.hears())) == 1


@pytest.mark.crash
def test_a_question_in_the_journal_is_not_answered_by_the_next_gateway(
    bench: Bench, xpert: Xpert
) -> None:
    bench.lims.start()
    bench.lims.stop()
    gateway = served(bench)
    xpert.says(*asks_for(ONE))
    until(lambda: gateway.events("orders not told"), "the log's word")
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.end()
    bench.lims.start()
    again = served(bench)
    assert again.events("question passed over")
    assert xpert.hears_nothing()
    words = ["replay", str(bench.file), "--since", "2021-01-01", "--json"]
    assert json.loads(CliRunner().invoke(main, words).stdout) == {"replayed": []}
    assert xpert.hears_nothing()
    assert (bench.lims.asked, bench.lims.posts) == ([], [])
    xpert.says(*asks_for(ONE))
    assert len(orders(xpert.hears())) == 1, "asked again it is answered"


def test_a_lims_that_refuses_the_question_is_no_lims_without_orders(
    bench: Bench, xpert: Xpert
) -> None:
    bench.lims.orders = None
    gateway = served(bench)
    xpert.says(*asks_for(ONE))
    until(lambda: gateway.events("orders not told"), "the log's word")
    assert gateway.events("orders not told")[0]["status"] == 404
    assert xpert.hears_nothing()


def test_one_line_by_options_is_answered_too(bench: Bench) -> None:
    xpert = Xpert(bench.tty)
    bench.gateway("genexpert", more=("--host-query", "--test", "sars-cov-2=COV2"))
    xpert.says(*asks_for(ONE))
    assert len(orders(xpert.hears())) == 1
    xpert.close()


def test_a_question_that_came_in_two_versions_is_not_answered(bench: Bench, xpert: Xpert) -> None:
    served(bench)
    many = [f"TT7K40F{number:04}" for number in range(40)]
    xpert.says(*asks_for(*many), again_as=lambda body: body.replace(b"TT7K40F0000", b"TT7K40F0001"))
    until(lambda: bench.lims.taken, "the message")
    (capture,) = bench.lims.captures
    assert capture.quarantine
    assert capture.quarantine.reason == "frame-conflict"
    assert (bench.lims.asked, xpert.hears_nothing()) == ([], True)
