"""The machinery, on scripts of its own: what the real ones do is checked against the tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, inspect, text

from lims.db import migrate
from lims.db.refusals import DatabaseAhead, MigrationsBusy
from tests.database import empty_database

TUBE = '''"""Keep tubes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("tube", sa.Column("barcode", sa.Text, primary_key=True))
'''
INDEX = '''"""Find tubes, beside a working laboratory."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("tube", __import__("sqlalchemy").Column("state", __import__("sqlalchemy").Text))
    with op.get_context().autocommit_block():
        op.create_index("tube_state", "tube", ["state"], postgresql_concurrently=True)
'''
BROKEN = '''"""Cannot work."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("CREATE TABLE half_done (id int)")
    op.execute("SELECT 1 / 0")
'''


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    made = tmp_path / "100% ours"  # Alembic's options pass a parser to which % is special
    made.mkdir()
    (made / "0001_tube.py").write_text(TUBE)
    (made / "0002_index.py").write_text(INDEX)
    return made


@pytest.fixture
def empty(database_server: str) -> Iterator[Engine]:
    with empty_database(database_server, f"migrate_{os.getpid()}") as engine:
        yield engine


def test_an_empty_database_is_brought_to_head_once(empty: Engine, versions: Path) -> None:
    assert migrate.pending(empty, versions=versions) == ["0001", "0002"]
    assert migrate.upgrade(empty, versions=versions) == ["0001", "0002"]
    assert migrate.pending(empty, versions=versions) == []
    assert migrate.upgrade(empty, versions=versions) == []
    assert [index["name"] for index in inspect(empty).get_indexes("tube")] == ["tube_state"]


def test_several_processes_migrating_at_once_do_it_once(empty: Engine, versions: Path) -> None:
    with ThreadPoolExecutor(3) as processes:
        done = list(processes.map(lambda _: migrate.upgrade(empty, versions=versions), range(3)))
    assert sorted(done) == [[], [], ["0001", "0002"]]


def test_one_that_migrates_for_ever_is_not_waited_for(
    empty: Engine, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "BUSY_TIMEOUT_S", 0.0)
    with empty.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": migrate._LOCK})
        with pytest.raises(MigrationsBusy):
            migrate.upgrade(empty, versions=versions)


def test_a_failing_script_leaves_nothing_half_done(empty: Engine, versions: Path) -> None:
    (versions / "0003_broken.py").write_text(BROKEN)
    with pytest.raises(Exception, match="division by zero"):
        migrate.upgrade(empty, versions=versions)
    assert migrate.pending(empty, versions=versions) == ["0003"]
    assert not inspect(empty).has_table("half_done")


def test_a_database_of_a_newer_release_is_refused(empty: Engine, versions: Path) -> None:
    migrate.upgrade(empty, versions=versions)
    (versions / "0002_index.py").unlink()
    with pytest.raises(DatabaseAhead, match="came 0002"):
        migrate.pending(empty, versions=versions)


def test_a_script_is_drafted_from_what_the_tables_have_more(empty: Engine, versions: Path) -> None:
    migrate.upgrade(empty, versions=versions)
    metadata = MetaData()
    Table("tube", metadata, Column("barcode", Text, primary_key=True), Column("state", Text))
    metadata.tables["tube"].indexes.clear()
    Table("rack", metadata, Column("id", Integer, primary_key=True))
    assert "rack" in "".join(migrate.differences(empty, metadata))
    drafted = migrate.draft(empty, metadata, "rack", versions=versions)
    assert drafted.name == "0003_rack.py"
    assert migrate.upgrade(empty, versions=versions) == ["0003"]
    assert inspect(empty).has_table("rack")
    assert migrate.differences(empty, metadata) == []


def test_the_scripts_of_this_release_are_one_numbered_row() -> None:
    scripts = sorted(path.name for path in migrate.VERSIONS.glob("[0-9]*.py"))
    assert [name[:5] for name in scripts] == [f"{at + 1:04d}_" for at in range(len(scripts))]
    assert migrate.head() == (scripts[-1][:4] if scripts else None)
