"""The program `lims`, installed whole and beside a gateway alone."""

import sys

import pytest

from lims.command import main


def test_beside_a_gateway_alone_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "lims.cli", raising=False)
    monkeypatch.delitem(sys.modules, "lims.settings", raising=False)
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(SystemExit, match=r"platformdirs is not installed.*thantoc\[lims\]"):
        main()


def test_it_is_the_lims(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lims", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "migrate" in capsys.readouterr().out
