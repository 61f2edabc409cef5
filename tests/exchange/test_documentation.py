"""The examples of docs/exchange.md are what the published models take."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from lims.domain.declarations import Entry
from lims.exchange.adapters.declaration_entry import read_entry

PAGE = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")


def test_every_resource_on_the_page_is_valid() -> None:
    written = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    kinds = []
    for one in written:
        kinds.append(json.loads(one)["resourceType"])
        get_fhir_model_class(kinds[-1]).model_validate_json(one)
    assert kinds == ["Observation", "Specimen", "OperationOutcome"]


def test_the_message_on_the_page_is_valid() -> None:
    found = re.search(r"```\n(MSH.*?)```", PAGE, re.DOTALL)
    assert found
    message = found[1].replace("\n", "\r")
    parsed = parse_message(message, validation_level=VALIDATION_LEVEL.STRICT, find_groups=True)
    parsed.validate()


def test_every_declaration_on_the_page_can_be_read() -> None:
    found = re.search(r'```\n(\{"entries": \[\n \{"declaration.*?)```', PAGE, re.DOTALL)
    assert found
    page = json.loads(found[1])
    assert isinstance(page["next"], str) and page["more"] is True
    read = [read_entry(one) for one in page["entries"]]
    assert [type(one) for one in read] == [Entry] * 3, read
