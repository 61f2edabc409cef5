"""What names people is readable for whoever wrote it, and for nobody else on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lims.own_file import put_in_place


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The least careful umask an account can have."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_document_is_ours_alone_even_in_the_place_of_one_that_was_not(tmp_path: Path) -> None:
    to = tmp_path / "positives.pdf"
    to.write_bytes(b"old")
    to.chmod(0o644)
    put_in_place([b"ne", b"w"], to)
    assert (to.read_bytes(), to.stat().st_mode & 0o777) == (b"new", 0o600)


def test_one_that_fails_in_the_middle_leaves_the_old_one_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    to = tmp_path / "slips.pdf"
    to.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put_in_place(pieces(), to)
    assert to.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [to]
