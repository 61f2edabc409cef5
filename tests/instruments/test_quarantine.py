"""The bytes of what could not be read, as a person at a terminal sees them."""

import os
from pathlib import Path

from instruments.measurement import Capture, Quarantine, digest_of
from instruments.quarantine import settle, text_lines


def test_a_terminal_is_shown_the_bytes_of_a_message_and_obeys_none_of_them() -> None:
    shown = text_lines(b"H|\\^&\rO|1|\x1b]0;pwned\x07|\x9b2J\r\nL|1|N\x00\r")
    assert shown == "H|\\^&\nO|1|␛]0;pwned␇|�2J\nL|1|N␀\n"


def test_a_copy_is_for_the_gateway_s_account_alone_whatever_the_umask(tmp_path: Path) -> None:
    raw, at = b"O|1|TTA1000003K", "2021-09-11T01:00:00Z"
    why = Quarantine("no-terminator", "")
    capture = Capture(digest_of(raw), "GX-1", "genexpert", "3", at, True, raw, (), why)
    before = os.umask(0)
    try:
        settle(tmp_path, capture)
    finally:
        os.umask(before)
    [copy] = tmp_path.rglob("*.json")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
