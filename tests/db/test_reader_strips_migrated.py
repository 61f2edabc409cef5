"""A laboratory whose reader has spoken can go back to the release before readers, and forward."""

from __future__ import annotations

import os
from datetime import datetime

from alembic import command
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db import migrate
from lims.tables import Base
from tests.database import empty_database
from tests.work.reader_stand import class_of_four, desk, said


def test_a_reading_by_a_reader_outlives_the_way_back(database_server: str, now: datetime) -> None:
    with empty_database(database_server, f"reader_strips_{os.getpid()}") as engine:
        migrate.upgrade(engine)
        with Session(engine) as session, session.begin():
            room = class_of_four(bench := desk(session, now))
            room.start()
            said(bench.later(20))
        with engine.connect() as connection:
            config = migrate._config(migrate.VERSIONS)
            config.attributes["connection"] = connection
            command.downgrade(config, "0013")
        assert migrate.upgrade(engine)[:3] == ["0014", "0015", "0016"]
        assert migrate.differences(engine, Base.metadata) == []
        with Session(engine) as session:
            outcomes = session.scalars(text("SELECT outcome FROM rapid_test")).all()
            assert outcomes == ["positive"]
            told = session.execute(text("SELECT standing, why FROM measurement")).one()
            assert tuple(told) == ("dismissed", "the reading of a rapid test")
