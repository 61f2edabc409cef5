"""A recall by a machine: the preview, the one act and the refusals that the page has too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from lims.work.tokens import Scope
from tests import seen
from tests.api import bodies
from tests.api.caller import Caller, Clock, refused
from tests.api.conftest import nothing_written
from tests.builders import Bench
from tests.builders_recall import claimed, lot_day


@dataclass(frozen=True)
class Day:
    """Two runs of one lot: sixteen cleared people and four positive ones, one of them claimed."""

    lot_id: UUID
    plates: list[str]


@pytest.fixture
def day(laboratory: Laboratory, clock: Clock) -> Day:
    with laboratory.sessions.begin() as session:
        bench = Bench(session, laboratory.site_id, clock.now, "QS5-1", bodies.LABELS)
        made = lot_day(bench, runs=2)
        claimed(bench, 1)
        plates = session.execute(
            text("SELECT plate FROM run WHERE id = ANY(:runs) ORDER BY created_at, id"),
            {"runs": made.runs},
        )
        return Day(made.lot_id, list(plates.scalars()))


def of(subject: object, kind: str = "reagent_lot", **more: object) -> dict[str, object]:
    return {"kind": kind, "subject": str(subject), **more}


def act(subject: object, kind: str = "reagent_lot", **more: object) -> dict[str, object]:
    return of(subject, kind, recall_id=bodies.fresh_id(), reason="contaminated buffer") | more


def test_a_preview_says_what_rests_on_it_and_changes_nothing(
    api: Caller, day: Day, database: Engine
) -> None:
    with nothing_written(database):
        by_id = api.done("/recalls/preview", of(day.lot_id), status=200)
        by_name = api.done("/recalls/preview", of("VN-2198"), status=200)
    assert by_id == by_name
    figures = by_id["figures"]
    assert (figures["runs"], figures["people"], figures["claimed"]) == (2, 20, 1)
    assert figures["findings"] == {"negative": 16, "positive": 4}
    assert [run["plate"] for run in by_id["runs"]] == day.plates
    assert len(by_id["cases"]) == 4 and by_id["subject"] == "VN-2198"


def test_a_recall_is_done_once_under_its_id_and_answers_the_same(
    api: Caller, day: Day, laboratory: Laboratory
) -> None:
    body = act(day.lot_id)
    first, again = api.post("/recalls", body), api.post("/recalls", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    with laboratory.sessions() as session:
        assert seen.findings(session) == {}
        assert {case.state for case in seen.cases(session)} == {"withdrawn"}
        assert len(seen.notices(session, "case.corrected")) == 4
        (told,) = seen.audited(session, "recall")
        by = session.execute(text("SELECT recalled_by FROM recall")).scalar_one()
    assert (told["reason"], by) == ("contaminated buffer", f"token:a machine to {Scope.RECALL}")
    refused(api.post("/recalls", body | {"reason": "something else"}), 409, "different-body")
    left = api.done("/recalls/preview", of(day.lot_id), status=200)["figures"]
    assert (left["runs"], left["results"], left["people"]) == (0, 0, 0)


def test_an_overlapping_recall_does_only_the_rest(api: Caller, day: Day) -> None:
    api.done("/recalls", act(day.plates[0], "run"))
    rest = api.done("/recalls", act(day.lot_id))
    assert (rest["figures"]["runs"], rest["figures"]["people"]) == (1, 10)


def test_an_analyser_is_recalled_by_its_hours(api: Caller, day: Day, clock: Clock) -> None:
    before = (clock.now - timedelta(hours=9)).isoformat()
    until = (clock.now - timedelta(hours=8)).isoformat()
    span = of("QS5-1", "instrument", **{"from": before})
    assert api.done("/recalls/preview", span, status=200)["figures"]["runs"] == 2
    none = api.done("/recalls/preview", span | {"to": until}, status=200)
    assert none["figures"]["runs"] == 0
    assert none["from_at"] is not None and none["to_at"] is not None


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"reason": "   "}, 422, "/reason"),
        ({"subject": "NO-SUCH-LOT"}, 404, None),
        ({"kind": "instrument", "subject": "QS5-1"}, 422, "/from"),
        ({"from": "2021-11-21T08:00:00+07:00"}, 422, "/from"),
        ({"kind": "week"}, 422, "/kind"),
        ({"recall_id": "perhaps"}, 422, "/recall_id"),
        ({"everything": True}, 422, "/everything"),
    ],
)
def test_what_the_page_refuses_is_refused_here_and_nothing_is_kept(  # noqa: PLR0917 - a table's row
    api: Caller,
    day: Day,
    database: Engine,
    changed: dict[str, object],
    status: int,
    pointer: str | None,
) -> None:
    with nothing_written(database):
        answer = api.post("/recalls", act("VN-2198") | changed)
    said = refused(answer, status, "not-found" if pointer is None else "invalid-body")
    if pointer is not None:
        assert any(one["pointer"].endswith(pointer) for one in said["errors"]), said
