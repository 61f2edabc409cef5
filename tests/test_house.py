"""The walls and manners of the house (docs/decisions.md), kept by a machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHIPPED = ("lims", "instruments", "reports", "loadtests")
MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "services", "managers", "constants"}
VAGUE |= {"service", "manager", "misc"}

# What a page loads by itself, as against a link a person may follow.
_LOADED = re.compile(
    r"""<(?!a\b)[^>]*\b(?:src|href|srcset|poster|data|action)\s*=\s*["']?\s*(?:https?:)?//
      | (?:url\(|@import|\bimport|\bfrom|importScripts\() \s*["']?\s*(?:https?:)?//
      | \b(?:fetch|EventSource|WebSocket)\(\s*["'`](?:https?:|wss?:)?//""",
    re.IGNORECASE | re.VERBOSE,
)


def python_files(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (ROOT / room).rglob("*.py")


def named(paths: Iterator[Path] | list[Path]) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def test_a_room_imports_only_the_rooms_below_it() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_no_file_grows_past_what_one_duty_needs() -> None:
    long = [
        path
        for path in python_files(*SHIPPED, "tests")
        if "versions" not in path.parts
        and len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    ]
    assert named(long) == []


def test_every_file_is_named_for_what_it_does() -> None:
    vague = [
        path
        for room in (*SHIPPED, "tests")
        for path in (ROOT / room).rglob("*")
        if path.stem.lower() in VAGUE and (path.suffix == ".py" or path.is_dir())
    ]
    assert named(vague) == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        folder / "__init__.py"
        for folder in {path.parent for path in python_files(*SHIPPED)}
        if not _docstring(folder / "__init__.py")
    ]
    assert named(silent) == []


def test_shipped_code_refuses_by_name_instead_of_asserting() -> None:
    asserting = [
        path
        for path in python_files("lims", "instruments", "reports")
        if any(isinstance(node, ast.Assert) for node in ast.walk(_parsed(path)))
    ]
    assert named(asserting) == []


def test_no_page_loads_anything_from_another_machine() -> None:
    pages = [
        path
        for path in (ROOT / "lims" / "web").rglob("*")
        if path.suffix in {".html", ".css", ".js", ".svg", ".txt", ".webmanifest"}
        and _LOADED.search(path.read_text(encoding="utf-8"))
    ]
    assert named(pages) == []


def test_what_counts_as_loading_from_another_machine() -> None:
    for loading in (
        '<script defer src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//fonts.example/css>",
        "@import 'https://fonts.example/css'",
        "body { background: url( 'http://img.example/a.png') }",
        'new EventSource("https://other.example/feed")',
    ):
        assert _LOADED.search(loading), loading
    for harmless in (
        '<a href="https://www.who.int/">WHO</a>',
        '<svg xmlns="http://www.w3.org/2000/svg">',
        '<script src="/static/feed.js"></script>',
    ):
        assert not _LOADED.search(harmless), harmless


def test_every_silenced_check_gives_its_reason() -> None:
    bare = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[\w, -]+\])?)\s*$")
    unexplained = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files(*SHIPPED, "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert unexplained == []


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _docstring(init: Path) -> str | None:
    return ast.get_docstring(_parsed(init)) if init.exists() else None


def test_making_the_environment_says_first_how_long_it_takes() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "--always-make", "--no-print-directory", ".venv/ready"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},  # `make test` is one
        capture_output=True,
        text=True,
        check=True,
    )
    first = said.stdout.splitlines()[0]
    assert "installing into .venv (about two minutes the first time)" in first
