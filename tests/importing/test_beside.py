"""The processes beside the deliverer use its database and end with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lims.importing.beside import beside
from tests.until import until


@pytest.mark.parametrize("verb", ["work", "exchange"])
def test_one_that_begins_when_the_database_has_ended_starts_none_of_its_own(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home, said = tmp_path / "home", list[str]()
    monkeypatch.setenv("LIMS_HOME", str(home))
    monkeypatch.delenv("LIMS_DATABASE_URL", raising=False)
    with beside(verb, database=f"postgresql:///lims?host={tmp_path}&user=postgres"):

        def gave_up() -> bool:
            said.append(capfd.readouterr().err)
            return "the database does not answer" in "".join(said)

        until(gave_up, "it says that there is none")
    assert not (home / "postgres").exists()
