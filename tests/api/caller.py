"""A client of the API that believes nothing: each answer is held against the served document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from lims.web.refusing import every_kind
from lims.work.tokens import Scope
from tests.api import bodies
from tests.api.bodies import Json

PROBLEM = "application/problem+json"
SAYS = ("type", "title", "status", "detail", "expected", "came", "where", "todo")


@dataclass
class Clock:
    """The laboratory's time; it moves when a test says so."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def later(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


@dataclass
class Document:
    """The served OpenAPI document, and what it promises of an answer."""

    written: Json
    _validators: dict[str, Any] = field(default_factory=dict)

    def operation(self, method: str, path: str) -> Json:
        """Raises LookupError where the document has no such endpoint."""
        for template, operations in self.written["paths"].items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            found: Json | None = operations.get(method.lower())
            if found and re.fullmatch(pattern, path):
                return found
        raise LookupError(f"{method} {path}")

    def scope(self, method: str, path: str) -> Scope:
        return Scope(self.operation(method, path)["security"][0]["token"][0])

    def check(self, method: str, path: str, answer: httpx.Response) -> None:
        """Raises ValidationError where the answer is not what the document says."""
        kind = answer.headers["Content-Type"]
        if answer.status_code >= 400:
            assert kind == PROBLEM, (answer.status_code, answer.text[:300])
            self.hold(answer.json(), "Problem")
            check_problem(answer)
            return
        responses = self.operation(method, path)["responses"]
        content = responses[str(answer.status_code)]["content"]
        self.hold(answer.json(), content[kind]["schema"]["$ref"].rpartition("/")[2])

    def hold(self, value: object, schema: str) -> None:
        if schema not in self._validators:
            whole = {
                "$ref": f"#/components/schemas/{schema}",
                "components": self.written["components"],
            }
            self._validators[schema] = OAS31Validator(whole, format_checker=oas31_format_checker)
        self._validators[schema].validate(value)


def check_problem(answer: httpx.Response) -> None:
    """RFC 9457, and the house's four words; a type of ours has a page of its own."""
    said = answer.json()
    assert said["status"] == answer.status_code
    assert set(SAYS) <= said.keys(), said
    if said["type"] != "about:blank":
        assert said["type"].removeprefix("/problems/") in {kind.slug for kind in every_kind()}


@dataclass
class Caller:
    """One laboratory's API, with a token for each scope."""

    client: httpx.Client
    document: Document
    tokens: Mapping[Scope, str]
    clock: Clock

    def post(self, path: str, body: object = None, *, token: str | None = None) -> httpx.Response:
        """With the token whose scope the document asks for, unless told another."""
        return self._ask("POST", path, token=token, json=body)

    def post_bytes(self, path: str, content: bytes) -> httpx.Response:
        return self._ask("POST", path, token=None, content=content)

    def get(self, path: str, *, token: str | None = None) -> httpx.Response:
        return self._ask("GET", path, token=token)

    def _ask(self, method: str, path: str, *, token: str | None, **sent: Any) -> httpx.Response:
        place = f"/api/v1{path}"
        bearer = token or self.tokens[self.document.scope(method, place)]
        headers = {"Authorization": f"Bearer {bearer}"}
        answer = self.client.request(method, place, headers=headers, **sent)
        self.document.check(method, place, answer)
        return answer

    def done(self, path: str, body: object, *, status: int = 201) -> Json:
        """The receipt of something that must succeed."""
        answer = self.post(path, body)
        assert answer.status_code == status, answer.text
        receipt: Json = answer.json()
        return receipt

    def registered(self, count: int = 1, **changed: Any) -> list[str]:
        """The barcodes of freshly swabbed people."""
        return [
            self.done("/specimens", bodies.registration(**changed))["barcode"] for _ in range(count)
        ]

    def received(self, count: int = 1, **changed: Any) -> list[str]:
        barcodes = self.registered(count, **changed)
        self.done("/receptions", {"barcodes": barcodes})
        return barcodes

    def planned(self, plate: str = "PLATE-0001", **changed: Any) -> Json:
        """A plate laid out from what is queued."""
        return self.done("/runs", bodies.run(plate, **changed))


def refused(answer: httpx.Response, status: int, slug: str) -> Json:
    """The problem document of an answer that must be this refusal."""
    said: Json = answer.json()
    assert (answer.status_code, said["type"]) == (status, f"/problems/{slug}"), said
    return said
