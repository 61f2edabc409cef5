"""An analyser that speaks HL7 asks after IHE LAW, and the whole gateway answers what its LIMS says,
that nothing waits, or that it cannot be told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from instruments.gateway import main
from tests.instruments.bench_stand import Bench, Running, bench_in
from tests.instruments.hl7_messages import cobas6800
from tests.instruments.law_stand import LawAnalyser, answered, work
from tests.until import until

ONE, TWO, STRANGE = "TT7K40FQ9XB", "TT7K40FQAXC", "TT7K40FQ000"
SOON = "import instruments.hl7.work_desk as desk; desk.ANSWER_WITHIN_S = 1.0"


@pytest.fixture
def port(bench: Bench) -> int:
    return bench.port()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        bench.lims.orders = [ordered(ONE, "ord-1"), ordered(TWO, "ord-2", urgent=True)]
        yield bench


@pytest.fixture
def calling(port: int) -> Iterator[list[LawAnalyser]]:
    analysers: list[LawAnalyser] = []
    yield analysers
    for analyser in analysers:
        analyser.close()


def ordered(specimen: str, *numbers: str, urgent: bool = False) -> dict[str, Any]:
    told = {"specimen": specimen, "assays": ["sars-cov-2"], "urgent": urgent}
    return told | ({"numbers": [*numbers]} if numbers else {})


def served(bench: Bench, port: int, before: str = "", **changed: object) -> Running:
    line = {
        "instrument": "C68-1",
        "driver": "cobas",
        "link": f"listen://127.0.0.1:{port}",
        "host_query": True,
        "tests": {"sars-cov-2": "SARS-COV-2"},
    }
    gateway = bench.gateway_of(line | changed, before=before)
    until(lambda: gateway.events("link up"), "the line")
    return gateway


def called(port: int, calling: list[LawAnalyser]) -> LawAnalyser:
    calling.append(LawAnalyser(port))
    return calling[-1]


def test_a_tube_s_order_is_asked_for_told_and_measured(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    served(bench, port)
    analyser = called(port, calling)
    asked = analyser.asks(TWO)
    heard = analyser.hears()
    assert (heard["MSH"][0][9], heard["MSA"][0][2]) == ("RSP^K11^RSP_K11", asked)
    assert answered(heard) == ("AA", "OK")
    order = analyser.hears()
    assert work(order) == (TWO, ["NW"], ["SARS-COV-2"])
    assert (order["ORC"][0][2], order["TQ1"][0][9].split("^")[0]) == ("ord-2", "S")
    assert "PID" not in order
    assert bench.lims.asked == [
        {"instrument": "C68-1", "assays": ["sars-cov-2"], "specimens": [TWO]}
    ]
    analyser.says_bytes(cobas6800(("TGT1", "NEG", ""), specimen=TWO))
    assert analyser.hears()["MSA"][0][1] == "AA"
    until(lambda: bench.lims.taken, "the result")
    (capture,) = bench.lims.captures
    assert (capture.measurements[0].specimen, capture.quarantine) == (TWO, None)


def test_a_tube_on_which_nothing_waits_is_told_as_dc(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    served(bench, port)
    analyser = called(port, calling)
    analyser.asks(STRANGE)
    assert answered(analyser.hears()) == ("AA", "OK")
    none = analyser.hears()
    assert (work(none), none["SPM"][0][11].split("^")[0]) == ((STRANGE, ["DC"], []), "U")


def test_everything_is_told_tube_by_tube_and_each_when_the_one_before_was_taken(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    served(bench, port)
    analyser = called(port, calling)
    analyser.says_taken = ""
    analyser.asks("", name="WOS_ALL^Work Order Step All^IHELAW")
    assert answered(analyser.hears()) == ("AA", "OK")
    first = analyser.hears()
    assert work(first)[0] == ONE
    assert analyser.hears_nothing()
    analyser.says("MSH|^~\\&|||||||ORL^O34|T|P|2.5.1", f"MSA|AA|{first['MSH'][0][10]}")
    assert work(analyser.hears())[0] == TWO
    assert bench.lims.asked[0]["specimens"] is None


def test_with_the_lims_away_it_hears_ae_and_results_are_taken_all_the_same(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    bench.lims.start()
    bench.lims.stop()
    gateway = served(bench, port)
    analyser = called(port, calling)
    analyser.asks(ONE)
    heard = analyser.hears()
    assert answered(heard) == ("AE", "AE")
    assert analyser.hears_nothing(), "no order would be a lie"
    assert gateway.events("orders not told")[0]["level"] == "warning"
    until(lambda: "orders-not-told" in standing(bench), "the line's standing")
    analyser.says_bytes(cobas6800(("TGT1", "NEG", ""), specimen=ONE))
    assert analyser.hears()["MSA"][0][1] == "AA"
    bench.lims.start()
    analyser.asks(ONE)
    assert answered(analyser.hears()) == ("AA", "OK")
    assert work(analyser.hears())[0] == ONE
    until(lambda: "orders-not-told" not in standing(bench), "that it was told since")


def test_a_lims_that_is_slow_is_not_waited_for_and_its_late_word_is_not_told(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    bench.lims.may_tell.clear()
    gateway = served(bench, port, before=SOON)
    analyser = called(port, calling)
    analyser.asks(ONE)
    assert answered(analyser.hears()) == ("AE", "AE")
    until(lambda: gateway.events("question not answered"), "the log's word")
    bench.lims.may_tell.set()
    until(lambda: bench.lims.asked, "the slow word")
    assert analyser.hears_nothing()


def test_a_lims_that_knows_no_such_analyser_is_no_lims_without_orders(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    bench.lims.orders = None
    served(bench, port)
    analyser = called(port, calling)
    analyser.asks(ONE)
    assert answered(analyser.hears()) == ("AE", "AE")
    until(lambda: "404" in standing(bench), "why, where a person looks")


def test_a_line_that_is_not_asked_says_ae_and_says_so(
    bench: Bench, port: int, calling: list[LawAnalyser]
) -> None:
    gateway = served(bench, port, host_query=None, tests=None)
    analyser = called(port, calling)
    analyser.asks(ONE)
    assert answered(analyser.hears()) == ("AE", "AE")
    until(lambda: gateway.events("refused"), "the log's word")
    assert gateway.events("refused")[0]["why"] == "host-query"


@pytest.mark.parametrize("driver", ["alinity-m", "cobas", "cobas4800"])
def test_the_simulated_analyser_asks_too(bench: Bench, port: int, driver: str) -> None:
    served(bench, port, driver=driver)
    words = ["simulate", driver, "--link", f"127.0.0.1:{port}", "--ask", TWO, "--ask", STRANGE]
    told = CliRunner().invoke(main, words)
    assert (told.exit_code, told.stdout.splitlines()) == (
        0,
        [f"{TWO}  SARS-COV-2  urgent", f"{STRANGE}  no order"],
    )
    told = CliRunner().invoke(main, [*words[:4], "--ask", "ALL"])
    assert [line.split()[0] for line in told.stdout.splitlines()] == [ONE, TWO]
    bench.lims.orders = None
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 1
    assert "the host cannot tell" in told.output


def standing(bench: Bench) -> str:
    told = CliRunner().invoke(main, ["status", str(bench.file), "--json"]).stdout
    (line,) = json.loads(told)["lines"]
    return f"{line.get('trouble')} {line.get('detail')}"
