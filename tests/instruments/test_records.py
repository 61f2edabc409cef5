from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.astm.records import Delimiters, escape, read, records, unescape, write

WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
USUAL = Delimiters()
CEPHEID = Delimiters("|", "@", "^", "\\")
HEAD = b"H|\\^&|||maker^1\r"


def reasons(text: bytes) -> list[str]:
    return [fault.reason for fault in read(text).faults]


def test_the_delimiters_are_those_the_header_declares() -> None:
    message = read(b"H|@^\\|GXM-1||lab^GeneXpert^6.5\rP|1\rO|1|A@B^C||\rL|1|N\r")
    assert message.header is not None
    assert message.header.components(5) == ("lab", "GeneXpert", "6.5")
    (_path, order), *_ = message.orders()
    assert order.record.repeats(3) == (("A",), ("B", "C"))


def test_delimiters_that_the_header_leaves_out_are_the_usual_ones() -> None:
    assert Delimiters.declared("H!") == Delimiters("!", "\\", "^", "&")
    assert Delimiters.declared("H|\\^|x") == USUAL


def test_a_field_that_was_not_sent_is_empty() -> None:
    message = read(HEAD + b"P|1\rO|1|A\rL|1\r")
    (_path, order), *_ = message.orders()
    assert order.record.text(26) == ""
    assert order.record.component(5, 4) == ""


def test_escapes_give_back_the_delimiters_and_bytes() -> None:
    assert unescape("a&F&b&S&c&R&d&E&e&X0D&f", USUAL) == "a|b^c\\d&e\rf"
    assert unescape("AT&T &H&bold&N& &XZZ&", USUAL) == "AT&T &H&bold&N& &XZZ&"
    assert unescape("Nguy&XE1BB85&n", USUAL) == "Nguyễn"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r", b"\r\n\0"])
def test_odd_line_ends_are_borne(end: bytes) -> None:
    text = end.join([b"H|\\^&", b"P|1", b"O|1|A", b"R|1|^^^N|12", b"L|1|N"])
    message = read(text)
    assert message.faults == []
    assert message.terminated
    assert [path for path, _ in message.orders()] == ["O1"]


def test_a_carriage_return_inside_a_comment_belongs_to_the_comment() -> None:
    message = read(HEAD + b"P|1\rO|1|A\rC|1|I|first line\rsecond line|N\rR|1|^^^N|12\rL|1\r")
    (_path, order), *_ = message.orders()
    assert order.comments[0].text(4) == "first line\rsecond line"
    assert len(order.children) == 1


def test_text_that_is_not_utf8_is_read_as_latin_1_record_by_record() -> None:
    text = HEAD + "P|1||||Trần\r".encode() + "O|1|Müller\r".encode("latin-1") + b"L|1\r"
    message = read(text)
    assert message.patients[0].record.text(6) == "Trần"
    assert message.patients[0].children[0].record.text(3) == "Müller"


def test_escaped_bytes_and_whole_messages_in_utf_16_say_so_by_their_byte_order_mark() -> None:
    assert unescape("Nguy&XFEFF1EC5&n", USUAL) == "Nguyễn"
    assert unescape("Nguy&XFFFEC51E&n", USUAL) == "Nguyễn"
    text = (HEAD + b"P|1|||||").decode() + "Nguyễn\rO|1|A\rL|1|N\r"
    message = read(text.encode("utf-16"))
    assert message.terminated
    assert message.faults == []
    assert message.patients[0].record.text(7) == "Nguyễn"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"P|1\rO|1|A\rO|3|B\rL|1\r", "sequence-gap"),
        (b"P|1\rO|1|A\rR|1|x|1\rR|3|x|1\rL|1\r", "sequence-gap"),
        (b"P|1\rO|1|A\rR|1|x|1\rR|1|y|1\rL|1\r", "sequence-gap"),
        (b"P|1\rO|2|A\rL|1\r", "sequence-gap"),
        (b"P|1\rO|one|A\rL|1\r", "sequence-gap"),
        (b"P|1\rR|1|x|1\rL|1\r", "no-order"),
        (b"P|1\rL|1\rO|1|A\r", "after-terminator"),
    ],
)
def test_what_does_not_fit_is_a_fault_with_a_reason(body: bytes, reason: str) -> None:
    assert reasons(HEAD + body) == [reason]


def test_a_message_without_a_header_says_so_once() -> None:
    assert reasons(b"P|1\rO|1|A\rL|1\r") == ["no-header"]


def test_a_line_of_no_known_type_before_the_first_record_is_a_fault() -> None:
    assert reasons(b"Z9|1\rL|1\r") == ["no-header", "unknown-record"]


def test_comments_hang_on_the_record_before_them() -> None:
    message = read(HEAD + b"C|1|I|h\rP|1\rC|1|I|p\rO|1|A\rC|1|I|o\rR|1|x|1\rC|1|I|r\rL|1\r")
    patient = message.patients[0]
    order = patient.children[0]
    told = [message.comments, patient.comments, order.comments, order.children[0].comments]
    assert [[record.text(4) for record in each] for each in told] == [["h"], ["p"], ["o"], ["r"]]


def test_a_resumed_tail_goes_on_where_the_first_part_broke() -> None:
    start = HEAD + b"P|1|x\rO|1|A\rR|1|N|20\rR|2|E|21\rO|2|B\rR|1|N|22\r"
    tail = HEAD + b"P|1|x\rO|2|B\rR|2|E|23\rO|3|C\rR|1|N|24\rL|1|N\r"
    message = read(start + tail)
    assert message.faults == []
    assert message.terminated
    assert [(path, len(order.children)) for path, order in message.orders()] == [
        ("O1", 2),
        ("O2", 2),
        ("O3", 1),
    ]


def test_a_tail_that_leaves_something_out_or_comes_from_elsewhere_is_a_fault() -> None:
    start = HEAD + b"P|1\rO|1|A\rR|1|N|20\r"
    assert reasons(start + HEAD + b"P|1\rO|3|C\rL|1\r") == ["sequence-gap"]
    assert reasons(start + HEAD + b"P|1\rO|1|Z\rL|1\r") == ["sequence-gap"]
    assert reasons(start + b"H|\\^&|||other\rP|1\rO|2|C\rL|1\r") == ["another-sender"]


def test_the_galileo_file_is_two_orders_of_nine_and_five_results() -> None:
    message = read((WIRE / "goastm_galileo_result.astm").read_bytes())
    assert message.faults == []
    assert [(path, len(order.children)) for path, order in message.orders()] == [
        ("O1", 9),
        ("O2", 5),
    ]
    assert message.patients[0].children[0].children[2].record.components(4) == ("3+", "3+", "45")


def test_the_kardianos_file_reads_to_the_end_and_its_repeated_numbers_are_faults() -> None:
    message = read((WIRE / "kardianos_lis2a.txt").read_bytes())
    assert message.terminated
    assert [len(patient.children) for patient in message.patients] == [4, 4, 3, 3]
    assert {fault.reason for fault in message.faults} == {"sequence-gap"}
    first = message.patients[0].children[0]
    assert len(first.comments) == 19
    assert first.children[0].comments[0].component(4, 2) == "ARABIN"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_whatever_make_the_reader_raise(text: bytes) -> None:
    read(HEAD + text)
    read(text)


@pytest.mark.parametrize("marks", [USUAL, CEPHEID], ids=["usual", "cepheid"])
@settings(deadline=None)
@given(
    fields=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(str.strip), max_size=6
    )
)
def test_what_is_written_is_read_again(marks: Delimiters, fields: list[str]) -> None:
    header = write(["H", "", "", "", "maker"], marks)
    written = write(["O", 1, *fields], marks)
    assert b"\r" not in written[:-1]
    _head, record = records(header + written)
    assert [record.text(n + 3) for n in range(len(fields))] == fields
    assert record.number == 1


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaping_and_unescaping_is_the_same_text(text: str) -> None:
    assert unescape(escape(text, USUAL), USUAL) == text
