"""Where one message ends and the next begins is nothing to do with how the bytes were chunked."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.poct.documents import Cut, Documents, Piece
from tests.instruments.hl7_messages import every_split
from tests.instruments.poct1_messages import hello, message, observed, status

ONE, TWO = observed(control_id="1"), observed(("SARS", "positive"), control_id="2")
AWKWARD = message("OBS.R01", "<!-- </OBS.R01> --><A V='>'/><![CDATA[<OBS.R01>]]><?a </OBS.R01>?>")


def cut(pieces: Iterable[bytes], *, longest: int = 4000) -> list[Piece]:
    documents = Documents(longest)
    return [piece for data in pieces for piece in documents.feed(data)]


def whole(*data: bytes) -> list[Piece]:
    return [Piece(Cut.WHOLE, each) for each in data]


def test_messages_that_follow_one_another_without_any_separator_are_told_apart() -> None:
    assert cut([hello() + status() + ONE + TWO]) == whole(hello(), status(), ONE, TWO)


@pytest.mark.parametrize(
    "between",
    [b"\0\r\n \t", b"\x1c\r\x0b", b"\xef\xbb\xbf", b"noise < 3 <> </HDR> <?", b"<!--x-->"],
)
def test_what_stands_between_two_messages_hides_neither(between: bytes) -> None:
    told = cut([ONE + between + TWO])
    assert [piece.data[-len(TWO) :] for piece in told] == [ONE[-len(TWO) :], TWO]
    assert [piece.cut for piece in told] == [Cut.WHOLE] * 2


def test_an_end_tag_in_a_comment_a_value_or_an_instruction_ends_nothing() -> None:
    assert cut([AWKWARD + ONE]) == whole(AWKWARD, ONE)


def test_a_root_without_content_is_a_message() -> None:
    assert cut([b"<KPA.R01/>" + ONE]) == whole(b"<KPA.R01/>", ONE)


@pytest.mark.parametrize("at", [200, len(ONE) - 3, ONE.index(b'V="SARS') + 4])
def test_a_message_that_begins_inside_another_says_that_the_other_broke_off(at: int) -> None:
    bare = TWO.split(b"\n", 1)[1]  # without its XML declaration
    for second in (TWO, bare):
        assert cut([ONE[:at] + second]) == [Piece(Cut.BROKEN_OFF, ONE[:at]), *whole(second)]


def test_every_split_of_a_session_cuts_the_same() -> None:
    session = hello() + b"\r\n" + AWKWARD + ONE[:250] + TWO
    expected = cut([session])
    assert len(expected) == 4
    for pieces in every_split(session):
        assert cut(pieces) == expected


def test_a_message_without_end_is_told_once_and_the_next_is_heard() -> None:
    endless = b"<OBS.R01>" + b"<A>x</A>" * 2000
    told = cut([endless + TWO])
    assert [piece.cut for piece in told] == [Cut.ENDLESS, Cut.WHOLE]
    assert told[0].data == endless[:4000]
    assert told[1].data == TWO
    for step in (1, 7, 4096):
        assert cut(_steps(endless + TWO, step)) == told


def test_a_gigabyte_in_one_message_is_held_in_one_megabyte() -> None:
    documents = Documents()
    block = b"<A>x</A>" * 8192
    list(documents.feed(b"<OBS.R01>"))
    for _ in range(100):
        list(documents.feed(block))
        assert len(documents._text) <= 1024 * 1024
    assert list(documents.feed(ONE)) == whole(ONE)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_noise_of_any_kind_cut_anywhere_yields_the_same(data: st.DataObject) -> None:
    marks = (b"<", b"<!", b"<?xml ", b'"', b"'", b"-->")
    part = st.sampled_from([ONE, TWO, ONE[:120], AWKWARD, *marks])
    stream = b"".join(data.draw(st.lists(part | st.binary(max_size=20), max_size=8)))
    ends = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in pairwise([0, *ends, len(stream)])]
    assert cut(pieces, longest=700) == cut([stream], longest=700)


def _steps(data: bytes, step: int) -> list[bytes]:
    return [data[at : at + step] for at in range(0, len(data), step)]
