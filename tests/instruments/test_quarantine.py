"""The bytes of what could not be read, as a person at a terminal sees them."""

from instruments.quarantine import text_lines


def test_a_terminal_is_shown_the_bytes_of_a_message_and_obeys_none_of_them() -> None:
    shown = text_lines(b"H|\\^&\rO|1|\x1b]0;pwned\x07|\x9b2J\r\nL|1|N\x00\r")
    assert shown == "H|\\^&\nO|1|␛]0;pwned␇|�2J\nL|1|N␀\n"
