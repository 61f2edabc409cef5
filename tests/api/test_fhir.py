"""The FHIR door: valid resources of real laboratory work, found by the standard's parameters.

Validated by fhir.resources' R4B models: R4B (4.3) left the five types that are served as R4 (4.0.1)
has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain.barcodes import minted_from
from lims.tables import Team
from lims.work import told
from lims.work.review import release_positive
from lims.work.tokens import Scope, issue_token
from tests.api.caller import Clock
from tests.api.conftest import Serving
from tests.builders import FAR_WARD, HOME, Bench, Swab, add_areas
from tests.until import WITHIN_S

CCCD = "http://fhir.hl7.org.vn/core/sid/cccd"
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(seconds=-1))


def bench_of(laboratory: Laboratory, session: Any, clock: Clock) -> Bench:
    labels = (code for _, code in minted_from("TT", "F1", 1))
    return Bench(session, laboratory.site_id, clock.now, "QS5-1", labels)


class Reader:
    """A system that reads, and holds every answer against the published models."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(f"/fhir/R4/{path}", headers=self.headers | more)

    def get(self, path: str) -> Json:
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return valid(answer)

    def every(self, path: str) -> list[Json]:
        """All entries, by the links."""
        found, url = [], f"/fhir/R4/{path}"
        while url:
            answer = self.client.get(url, headers=self.headers)
            assert answer.status_code == 200, answer.text
            page = valid(answer)
            found += [entry["resource"] for entry in page.get("entry", [])]
            links = {link["relation"]: link["url"] for link in page["link"]}
            url = urlsplit(links.get("next", ""))._replace(scheme="", netloc="").geturl()
        return found


def valid(answer: httpx.Response) -> Json:
    """The answer, which the published models take."""
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    said: Json = answer.json()
    get_fhir_model_class(said["resourceType"]).model_validate_json(answer.text)
    return said


@pytest.fixture
def client(serving: Serving, laboratory: Laboratory) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.address, timeout=WITHIN_S) as opened:
        yield opened


@pytest.fixture
def reader(client: httpx.Client, laboratory: Laboratory, clock: Clock) -> Reader:
    return Reader(client, token(laboratory, clock, None))


def token(laboratory: Laboratory, clock: Clock, team: UUID | None) -> str:
    with laboratory.sessions.begin() as session:
        return issue_token(
            session,
            site_id=laboratory.site_id,
            name=f"reader {team}",
            scopes=[Scope.FHIR],
            team_id=team,
            every_team=team is None,
            by="test",
            now=clock.now,
        )


@pytest.fixture
def day(laboratory: Laboratory, clock: Clock) -> dict[str, Swab]:
    """A negative pool, a positive of one's own that was released, and a far-away negative."""
    with laboratory.sessions.begin() as session:
        bench = bench_of(laboratory, session, clock)
        add_areas(session)
        pooled = bench.swabs(3)
        pool = bench.lab_pool(pooled)
        own = bench.swab(name="Lê Thị Ba")
        far = bench.swab(name="Trần Xa", area=FAR_WARD)
        session.execute(
            text(
                "UPDATE person SET national_id = '079080001234', old_id = '024123456',"
                " phone = '+84912345678' WHERE id = :id"
            ),
            {"id": own.person_id},
        )
        bench.run({own.barcode: 24.5})
        finding = session.execute(
            text("SELECT id FROM finding WHERE specimen_id = :s AND current"),
            {"s": own.specimen_id},
        ).scalar_one()
        release_positive(
            session, finding, site_id=laboratory.site_id, by="user:reviewer", now=bench.now
        )
    found = {"own": own, "far": far, "pooled": pooled[0]}
    found["pool"] = Swab(pool, pooled[0].specimen_id, pooled[0].person_id)
    return found


def test_a_positive_is_a_final_observation_with_its_cycles(
    reader: Reader, day: dict[str, Swab]
) -> None:
    seen = reader.get(f"Observation/{day['own'].specimen_id}")
    assert seen["status"] == "final"
    assert seen["code"]["coding"][0]["code"] == "94500-6"
    assert seen["valueCodeableConcept"]["coding"][0]["code"] == "260373001"
    assert seen["interpretation"][0]["coding"][0]["code"] == "POS"
    cycles = {one["code"]["text"]: one["valueQuantity"]["value"] for one in seen["component"]}
    assert min(cycles.values()) == 24.5
    assert len(cycles) == 2
    report = reader.get(f"DiagnosticReport/{day['own'].specimen_id}")
    codes = [one["coding"][0]["code"] for one in report["conclusionCode"]]
    assert (report["status"], codes) == ("final", ["260373001", "840539006"])
    assert report["result"][0]["reference"] == f"Observation/{seen['id']}"


def test_who_was_cleared_by_a_pool_gets_no_cycles_of_the_pools(
    reader: Reader, day: dict[str, Swab]
) -> None:
    seen = reader.get(f"Observation/{day['pooled'].specimen_id}")
    assert seen["valueCodeableConcept"]["coding"][0]["code"] == "260415000"
    assert "component" not in seen
    assert "pool of 3 swabs" in seen["method"]["text"]


def test_a_pool_is_a_pooled_specimen_of_its_parents(reader: Reader, day: dict[str, Swab]) -> None:
    pool = reader.every(f"Specimen?identifier={day['pool'].barcode}")[0]
    assert pool["extension"] == [
        {
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.combined",
            "valueCode": "pooled",
        }
    ]
    assert len(pool["parent"]) == 3
    assert "subject" not in pool
    parent = reader.get(pool["parent"][0]["reference"])
    assert parent["subject"]["reference"].startswith("Patient/")
    assert "extension" not in parent
    drawn = reader.every(f"Specimen?parent={parent['id']}")
    assert [one["id"] for one in drawn] == [pool["id"]]
    asked = reader.every(f"ServiceRequest?specimen={pool['id']}")[0]
    assert asked["contained"][0]["quantity"] == 3


def test_a_person_is_a_patient_with_both_card_numbers(reader: Reader, day: dict[str, Swab]) -> None:
    seen = reader.get(f"Patient/{day['own'].person_id}")
    numbers = {one["system"].rpartition("/")[2]: one["value"] for one in seen["identifier"]}
    assert (numbers["cccd"], numbers["cmnd"]) == ("079080001234", "024123456")
    assert seen["name"][0] | {} == {
        "use": "official",
        "text": "Lê Thị Ba",
        "family": "Lê",
        "given": ["Thị", "Ba"],
    }
    assert seen["address"][0]["district"] == "Tân Định"
    assert seen["birthDate"] == "1980"


def test_a_persons_number_is_searched_for_in_a_body_and_never_in_an_address(
    reader: Reader, day: dict[str, Swab]
) -> None:
    in_url = reader.ask(f"Patient?identifier={CCCD}|079080001234")
    assert in_url.status_code == 400
    assert "079080001234" not in in_url.text
    posted = reader.client.post(
        "/fhir/R4/Patient/_search",
        data={"identifier": f"{CCCD}|079080001234"},
        headers=reader.headers,
    )
    page = valid(posted)
    assert [one["resource"]["id"] for one in page["entry"]] == [str(day["own"].person_id)]
    assert "079080001234" not in str(page["link"])


def test_a_search_in_a_body_that_is_no_form_is_not_a_search_for_everybody(
    reader: Reader, day: dict[str, Swab]
) -> None:
    asked = {"identifier": f"{CCCD}|079080001234"}
    posted = reader.client.post("/fhir/R4/Patient/_search", json=asked, headers=reader.headers)
    assert (posted.status_code, posted.json()["resourceType"]) == (400, "OperationOutcome")


@pytest.mark.parametrize(
    ("path", "many"),
    [
        ("Observation", 5),
        ("Observation?status=final", 5),
        ("Observation?status=preliminary", 0),
        ("Observation?value-concept=http://snomed.info/sct|260373001", 1),
        ("Observation?date=2021-09-11", 5),
        ("Observation?date=lt2021-09-11", 0),
        ("Observation?date=ge2021-09-11&date=lt2021-09-12", 5),
        ("Observation?code=94558-4", 0),
        ("Observation?area=79", 4),
        ("Observation?area=01", 1),
        ("DiagnosticReport?issued=ge2021-09-11T09:30:00%2B07:00", 5),
        ("Specimen?status=available", 6),
        ("Specimen?collected=2021-09", 6),
        ("ServiceRequest?status=completed", 3),
        ("ServiceRequest?authored=2021-09-11", 3),
        ("Patient", 5),
        ("Patient?_count=2", 5),
        ("Observation?_count=1", 5),
        ("Observation?_lastUpdated=gt2100-01-01", 0),
    ],
)
def test_searches(reader: Reader, day: dict[str, Swab], path: str, many: int) -> None:
    found = reader.every(path)
    assert len(found) == many
    assert len({one["id"] for one in found}) == many


def test_how_many_there_are_without_them(reader: Reader, day: dict[str, Swab]) -> None:
    page = reader.get("Observation?_summary=count")
    assert page["total"] == 5
    assert "entry" not in page


@pytest.mark.parametrize(
    "path",
    [
        "Observation?name=x",
        "Observation?status=nonsense",
        "Observation?date=yesterday",
        "Observation?date=ap2021-09-11",
        "Observation?date=2021-13-40",
        "Observation?patient=Group/0",
        "Observation?area=99999",
        "Observation?_cursor=zzz",
        "Observation?_count=many",
        "Observation?value-concept=http://snomed.info/sct|1",
    ],
)
def test_a_search_that_cannot_be_read_says_what_would_be(reader: Reader, path: str) -> None:
    answer = reader.ask(path)
    assert answer.status_code == 400
    issue = valid(answer)["issue"][0]
    assert issue["code"] == "invalid"
    assert issue["diagnostics"].startswith("Expected ")
    assert issue["details"]["text"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Patient/00000000-0000-0000-0000-000000000000", 404, "not-found"),
        ("Patient/nobody", 404, "not-found"),
        ("Medication", 404, "not-found"),
        ("Patient?_format=xml", 406, "not-supported"),
    ],
)
def test_what_is_not_here(reader: Reader, path: str, status: int, code: str) -> None:
    answer = reader.ask(path)
    assert (answer.status_code, valid(answer)["issue"][0]["code"]) == (status, code)


def test_json_is_all_that_is_spoken(reader: Reader) -> None:
    assert reader.ask("Patient", Accept="application/fhir+xml").status_code == 406
    assert reader.ask("Patient", Accept="application/fhir+json;q=0.9").status_code == 200
    assert reader.ask("Patient?_format=json", Accept="application/fhir+xml").status_code == 200
    assert reader.ask("metadata?_format=application/fhir+json").status_code == 200


def test_nothing_is_written_here(reader: Reader) -> None:
    answer = reader.client.put("/fhir/R4/Patient/1", headers=reader.headers, json={})
    assert answer.status_code == 405
    assert valid(answer)["issue"][0]["code"] == "not-supported"


def test_nobody_without_a_token_of_this_scope(client: httpx.Client, api: Any) -> None:
    assert client.get("/fhir/R4/Patient").status_code == 401
    wrong = client.get(
        "/fhir/R4/Patient", headers={"Authorization": f"Bearer {api.tokens[Scope.READ]}"}
    )
    assert wrong.status_code == 403
    assert valid(wrong)["issue"][0]["code"] == "forbidden"
    assert valid(client.get("/fhir/R4/metadata"))["fhirVersion"] == "4.0.1"


def test_a_version_that_the_reader_has_is_not_sent_again(
    reader: Reader, day: dict[str, Swab], laboratory: Laboratory
) -> None:
    path = f"Patient/{day['own'].person_id}"
    first = reader.ask(path)
    tag = first.headers["ETag"]
    assert tag == f'W/"{first.json()["meta"]["versionId"]}"'
    again = reader.ask(path, **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    with laboratory.sessions.begin() as session:
        session.execute(
            text("UPDATE person SET phone = '+84900000000' WHERE id = :id"),
            {"id": day["own"].person_id},
        )
    assert reader.ask(path, **{"If-None-Match": tag}).status_code == 200


def test_a_team_reads_its_areas_and_nobody_elses(
    client: httpx.Client, laboratory: Laboratory, clock: Clock, day: dict[str, Swab]
) -> None:
    with laboratory.sessions.begin() as session:
        bench_of(laboratory, session, clock).subscribe(HOME, name="Tân Định")
        team = session.query(Team.id).filter(Team.name == "Tân Định").scalar()
    ward = Reader(client, token(laboratory, clock, team))
    assert len(ward.every("Patient")) == 4
    assert len(ward.every("Observation")) == 4
    assert ward.ask(f"Patient/{day['far'].person_id}").status_code == 404
    assert ward.every(f"Observation?patient={day['far'].person_id}") == []
    assert ward.every("Specimen?area=01") == []


def test_who_read_whom_is_kept(
    reader: Reader, day: dict[str, Swab], laboratory: Laboratory
) -> None:
    reader.get(f"Patient/{day['own'].person_id}")
    reader.every("Observation")
    with laboratory.sessions.begin() as session:
        read = session.execute(
            text(
                "SELECT subject, detail->>'type' FROM audit_event WHERE verb = 'read_fhir'"
                " AND actor = 'token:reader None' ORDER BY id"
            )
        ).all()
    told = [tuple(row) for row in read]
    assert told.count((str(day["own"].person_id), "Patient")) == 1
    assert len({subject for subject, kind in told if kind == "Observation"}) == 5


def test_a_writer_who_commits_late_is_not_stepped_over(
    reader: Reader,
    day: dict[str, Swab],
    laboratory: Laboratory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two people change; the first to change commits last, and a reader asks in between."""
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(0))
    change = text("UPDATE person SET phone = '+84911111111' WHERE id = :id")
    with laboratory.engine.connect() as slow:
        slow.execute(change, {"id": day["own"].person_id})
        with laboratory.sessions.begin() as session:
            session.execute(change, {"id": day["far"].person_id})
        between = reader.get("Patient?_count=500")
        since = between["meta"]["lastUpdated"]
        seen = {one["resource"]["id"] for one in between.get("entry", [])}
        assert str(day["far"].person_id) not in seen
        slow.commit()
    later = {one["id"] for one in reader.every(f"Patient?_lastUpdated=ge{since}")}
    assert later == {str(day["own"].person_id), str(day["far"].person_id)}


def test_a_word_that_is_known_no_more_is_said_to_have_been_an_error(
    reader: Reader, day: dict[str, Swab], laboratory: Laboratory
) -> None:
    with laboratory.sessions.begin() as session:
        session.execute(
            text("UPDATE finding SET current = false WHERE specimen_id = :s"),
            {"s": day["far"].specimen_id},
        )
    assert reader.get(f"Observation/{day['far'].specimen_id}")["status"] == "entered-in-error"
    found = reader.every("DiagnosticReport?status=entered-in-error")
    assert [one["id"] for one in found] == [str(day["far"].specimen_id)]
