"""Every exchange is timed, named by its route, and judged against what the plan provoked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from loadtests.day.meter import Book, Judged, Meter

CASE = "0192f0c1-5c1e-7a64-9d7e-2f4b7a1c9e10"


class _Says(BaseHTTPRequestHandler):
    """The status that the query asks for."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.rpartition("=")[2] or 200))
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Says)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def asked(
    url: str,
    path: str,
    *,
    fault: str | None = None,
    expecting: int | None = None,
    allowing: int | None = None,
) -> Book:
    book = Book()
    meter = Meter(book, lambda: 1.5, lambda: fault)
    with httpx.Client(base_url=url, transport=meter, trust_env=False) as client:
        if expecting is not None:
            with meter.expecting(expecting):
                client.get(path)
        elif allowing is not None:
            with meter.allowing(allowing):
                client.get(path)
        else:
            client.get(path)
    return book


def test_an_answer_is_good_and_carries_its_routes_name(url: str) -> None:
    (one,) = asked(url, f"/api/v1/cases/{CASE}?say=200").exchanges

    assert (one.name, one.judged, one.said, one.at_s) == (
        "GET /cases/<id>",
        Judged.GOOD,
        "200",
        1.5,
    )
    assert one.took_ms > 0
    assert one.length == 2


def test_a_barcode_in_a_path_is_no_name_of_its_own(url: str) -> None:
    (one,) = asked(url, "/api/v1/tubes/TTD1000001X?say=200").exchanges
    assert one.name == "GET /tubes/<barcode>"


def test_a_refusal_that_nobody_provoked_is_a_failure_even_during_a_fault(url: str) -> None:
    (one,) = asked(url, "/x?say=409", fault="web worker killed").exchanges
    assert (one.judged, one.said) == (Judged.FAILED, "409")


@pytest.mark.parametrize(
    ("came", "judged"), [(409, Judged.GOOD), (201, Judged.GOOD), (404, Judged.FAILED)]
)
def test_a_refusal_that_a_race_may_give_is_one_of_two_good_answers(
    url: str, came: int, judged: Judged
) -> None:
    (one,) = asked(url, f"/x?say={came}", allowing=409).exchanges
    assert one.judged is judged


def test_a_provoked_refusal_is_good_and_its_absence_is_a_failure(url: str) -> None:
    (refused,) = asked(url, "/x?say=409", expecting=409).exchanges
    (accepted,) = asked(url, "/x?say=201", expecting=409).exchanges

    assert (refused.judged, accepted.judged) == (Judged.GOOD, Judged.FAILED)


def test_what_breaks_during_a_fault_is_the_faults_and_alone_is_a_failure(url: str) -> None:
    (during,) = asked(url, "/x?say=503", fault="web worker killed").exchanges
    (alone,) = asked(url, "/x?say=503").exchanges

    assert (during.judged, during.said) == (Judged.OF_A_FAULT, "503 (web worker killed)")
    assert alone.judged is Judged.FAILED


def test_no_connection_is_kept_by_its_kind() -> None:
    book = Book()
    with (
        httpx.Client(transport=Meter(book, lambda: 0.0, lambda: None), trust_env=False) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("http://127.0.0.1:9/x")

    assert [(e.judged, e.said) for e in book.exchanges] == [(Judged.FAILED, "ConnectError")]
    assert book.took_ms("GET /x") == []
