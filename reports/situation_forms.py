"""The forms one situation can be asked for in: a document, a workbook, figures for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import assert_never

from reports.saying import Saying
from reports.situation import Form, Situation
from reports.situation_pdf import situation_pdf
from reports.situation_xlsx import situation_xlsx


def situation_in(form: Form, situation: Situation, saying: Saying) -> bytes:
    """The situation as a file; the same value gives the same bytes."""
    match form:
        case Form.PDF:
            return situation_pdf(situation, saying)
        case Form.XLSX:
            return situation_xlsx(situation, saying)
        case Form.JSON:
            return situation_json(situation)
        case _:
            assert_never(form)


def situation_json(situation: Situation) -> bytes:
    """Every figure, times in RFC 3339 UTC, lengths in minutes, shares from 0 to 1."""
    said = json.dumps(asdict(situation), default=_said, ensure_ascii=False, indent=1)
    return said.encode() + b"\n"


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
