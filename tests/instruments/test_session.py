import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.astm.session import AFTER_THE_LAST, IN_TWO_VERSIONS, Assembly, Received

HEAD, TAIL = b"H|\\^&|||maker\r", b"L|1|N\r"


def frames(*texts: bytes, last: bool = True) -> list[bytes]:
    """Bodies as kept: FN, text, ETX or ETB."""
    end = b"\x03" if last else b"\x17"
    return [b"%d%b%b" % (n % 8, text, end) for n, text in enumerate(texts, start=1)]


def told(assembly: Assembly, bodies: list[bytes]) -> list[Received]:
    return [received for body in bodies for received in assembly.frame(body)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=6))
def test_a_record_may_be_cut_anywhere_and_frame_numbers_are_not_text(cuts: list[int]) -> None:
    message = HEAD + b"P|1\rO|1|A1\rR|1|^^^N|23.71\r" + TAIL
    edges = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    pieces = [message[begin:end] for begin, end in itertools.pairwise(edges)]
    assert told(Assembly(), frames(*pieces, last=False)) == [Received(message)]


def test_a_message_is_whole_with_its_l_and_before_eot() -> None:
    assembly = Assembly()
    assert told(assembly, frames(HEAD)) == []
    assert told(assembly, frames(TAIL)) == [Received(HEAD + TAIL)]
    assert list(assembly.end()) == []


def test_several_messages_of_one_session_are_told_apart() -> None:
    both = told(Assembly(), frames(HEAD, b"P|1\r", TAIL, HEAD, b"P|1\rO|1|B\r", TAIL))
    assert both == [Received(HEAD + b"P|1\r" + TAIL), Received(HEAD + b"P|1\rO|1|B\r" + TAIL)]


def test_a_header_before_an_l_leaves_the_message_before_it_unfinished() -> None:
    assert told(Assembly(), frames(HEAD + b"P|1\r", HEAD + TAIL)) == [
        Received(HEAD + b"P|1\r"),
        Received(HEAD + TAIL),
    ]


def test_etx_ends_a_record_whose_carriage_return_was_left_out() -> None:
    (received,) = told(Assembly(), frames(HEAD[:-1], b"P|1", TAIL[:-1]))
    assert received.text == HEAD + b"P|1\r" + TAIL


def test_line_feeds_between_records_are_borne_and_do_not_make_a_message() -> None:
    text = (HEAD + TAIL).replace(b"\r", b"\r\n")
    assembly = Assembly()
    assert [received.text for received in told(assembly, frames(text))] == [text[:-1]]
    assert list(assembly.end()) == []


def test_a_session_that_ends_in_mid_record_gives_what_came() -> None:
    assembly = Assembly()
    told(assembly, frames(HEAD + b"P|1\rO|1|A", last=False))
    assert list(assembly.end()) == [Received(HEAD + b"P|1\rO|1|A")]
    assert told(assembly, frames(HEAD + TAIL)) == [Received(HEAD + TAIL)], "nothing is left over"


def test_a_message_with_a_frame_that_came_in_two_versions_is_marked() -> None:
    assembly = Assembly()
    told(assembly, frames(HEAD))
    assert assembly.conflict(b"1other\x03") == []
    assert [received.conflict for received in told(assembly, frames(TAIL, HEAD + TAIL))] == [
        IN_TWO_VERSIONS,
        None,
    ]


def test_another_version_of_a_message_s_last_frame_is_told_and_marks_no_other_message() -> None:
    assembly = Assembly()
    told(assembly, frames(HEAD, TAIL))
    assert assembly.conflict(b"2L|1|X\r\x03") == [Received(b"L|1|X\r", AFTER_THE_LAST)]
    assert told(assembly, frames(HEAD + TAIL)) == [Received(HEAD + TAIL)]


def test_a_frame_that_ended_one_message_and_began_the_next_leaves_the_next_in_doubt() -> None:
    assembly = Assembly()
    told(assembly, frames(HEAD + TAIL + HEAD))
    assert assembly.conflict(b"1other\x03") == []
    assert told(assembly, frames(TAIL)) == [Received(HEAD + TAIL, IN_TWO_VERSIONS)]


def test_a_field_that_begins_with_l_is_no_terminator() -> None:
    text = HEAD + b"C|1|I|first\rLast words\r" + TAIL
    assert told(Assembly(), frames(text)) == [Received(text)]


def test_a_message_without_end_is_cut_at_the_limit() -> None:
    assembly = Assembly(longest_message=100)
    received = told(assembly, frames(*[b"x" * 60] * 4, last=False))
    assert [len(each.text) for each in received] == [120, 120]
