"""A column of a day comes as one string: every element of it, or a refusal."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from polars.exceptions import ShapeError
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import TubeKind
from lims.work.views.day_columns import Columns, Kind, Words, as_uuid, read_columns

KINDS = Words("ifl", TubeKind)
SENT = (
    "SELECT string_agg(uuid_send(id), ''),"
    " string_agg(timestamptz_send(coalesce(at, '-infinity'::timestamptz)), ''),"
    f" string_agg({KINDS.spelt('word')}, ''), string_agg(name, ' ')"
    " FROM unnest(%(ids)s::uuid[], %(ats)s::timestamptz[], %(words)s::text[], %(names)s::text[])"
    " AS t (id, at, word, name)"
)
READ: Columns = {"id": Kind.ROW_ID, "at": Kind.MOMENT, "word": KINDS, "name": Kind.NAME}


def driver(session: Session) -> psycopg.Connection[object]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def test_what_is_sent_is_what_is_read(session: Session) -> None:
    ids = [uuid7() for _ in range(3)]
    ats = [datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), None, datetime(2026, 1, 1, tzinfo=UTC)]
    values = {
        "ids": ids,
        "ats": ats,
        "words": ["lab_pool", None, "individual"],
        "names": ["TT7K", "Ω", "9"],
    }
    read = read_columns(driver(session), SENT, values, READ)
    assert [as_uuid(one) for one in read["id"]] == ids
    assert read["at"].to_list() == ats
    assert read["word"].to_list() == values["words"]
    assert read["name"].to_list() == values["names"]


def test_nothing_is_a_frame_without_rows(session: Session) -> None:
    values: dict[str, list[object]] = {"ids": [], "ats": [], "words": [], "names": []}
    assert read_columns(driver(session), SENT, values, READ).shape == (0, 4)


def test_an_id_that_is_missing_is_refused_and_shifts_nothing(session: Session) -> None:
    values = {"ids": [uuid7(), None], "ats": [None] * 2, "words": [None] * 2, "names": ["a", "b"]}
    with pytest.raises(ShapeError):
        read_columns(driver(session), SENT, values, READ)
