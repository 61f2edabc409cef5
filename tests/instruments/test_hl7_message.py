"""HL7 v2 messages: what is written is read back, and nothing that comes raises but `NotHl7`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.hl7.message import (
    USUAL,
    Delimiters,
    Message,
    NotHl7,
    Segment,
    read,
    unescape,
    unescaped_capture,
    write,
)
from tests.instruments.hl7_messages import WIRE, captured, lines

HEADER = "MSH|^~\\&|cobas||LIS||20210713||OUL^R22|M1|P|2.5.1||||||"


def only(*segments: str, charset: str = "") -> Segment:
    return read(lines(HEADER + charset, *segments)).segments[1]


def test_fields_count_as_the_standard_prints_them_in_msh_too() -> None:
    header = read(captured("cobas6800_invalid.hl7")).header
    assert header.value(1) == "|"
    assert header.text(2) == "^~\\&"
    assert (header.value(3), header.value(10), header.value(12)) == (
        "COBAS6800/8800",
        "MSG-6800-06",
        "2.5",
    )
    assert read(captured("cobas6800_invalid.hl7")).kind == "OUL^R22"


def test_declared_delimiters_are_used_and_not_the_usual_ones() -> None:
    message = read(b"MSH$*%#!$a*b$\rSPM$1$id!ROCHE%second$x#F#y|z^~\r")
    spm = message.segments[1]
    assert message.header.components(3) == ("a", "b")
    assert (spm.value(2), spm.value(2, 1, 2)) == ("id", "ROCHE")
    assert spm.repeats(2) == (("id",), ("second",))
    assert spm.text(3) == "x$y|z^~"


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"first\.br\second", "first\nsecond"),
        (r"\X0D0A\\X09\x", "\r\n\tx"),
        (r"\H\loud\N\ again", "loud again"),
        (r"C:\data\new", r"C:\data\new"),
        (r"\E\F\E\ ", r"\F\ "),
        ("\\", "\\"),
        (r"\X0\ \Xgg\ \Z12\ ", r"\X0\ \Xgg\ \Z12\ "),
    ],
)
def test_escapes(sent: str, plain: str) -> None:
    assert unescape(sent, USUAL) == plain


def test_a_hexadecimal_escape_is_in_the_messages_own_character_set() -> None:
    assert only(r"NTE|1||\XC3AA\ ", charset="UNICODE UTF-8").text(3) == "ê"
    assert only(r"NTE|1||\XEA\ ", charset="8859/1").text(3) == "ê"


def test_null_is_nothing() -> None:
    spm = only('SPM|1|""|""^x|a^""')
    assert (spm.value(2), spm.text(2), spm.components(3), spm.value(4, 2)) == (
        "",
        "",
        ("", "x"),
        "",
    )


def test_what_was_not_sent_is_empty() -> None:
    spm = only("SPM|1|a")
    assert (spm.value(2, 2), spm.value(2, 1, 2), spm.value(40), spm.text(40)) == ("", "", "", "")
    assert spm.repeats(40) == (("",),)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_any_segment_end_and_trailing_empty_fields(end: bytes) -> None:
    sent = end.join([HEADER.encode(), b"SPM|1|a||||||", b"", b"OBX|1|ST", b"", b""])
    assert [segment.name for segment in read(sent).segments] == ["MSH", "SPM", "OBX"]


def test_a_line_break_inside_a_note_goes_on_with_it() -> None:
    (note,) = read(lines(HEADER, "NTE|1||line one", "and two")).named("NTE")
    assert note.text(3) == "line one\rand two"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("", "utf-8"),
        ("ASCII", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("~UNICODE UTF-8", "utf-8"),
        ("UNICODE UTF-16", "utf-16-le"),
        ("UNICODE UTF-16", "utf-16-be"),
        ("UNICODE UTF-16", "utf-16"),
        ("ISO IR87", "iso2022_jp"),
    ],
)
def test_the_declared_character_set(declared: str, codec: str) -> None:
    name = "太郎" if codec == "iso2022_jp" else "Lê Thị Ánh" if "utf" in codec else "Renée"
    sent = f"{HEADER}{declared}\rNTE|1||{name}\r".encode(codec)
    assert read(sent).segments[1].text(3) == name


def test_bytes_that_do_not_fit_their_declaration_are_latin_1() -> None:
    assert read(f"{HEADER}UNICODE UTF-8\rNTE|1||Renée\r".encode("latin-1")).segments[1].text(3) == (
        "Renée"
    )


def test_a_character_set_unknown_here_is_refused_unless_there_is_only_ascii() -> None:
    assert read(lines(HEADER + "JAS2020", "SPM|1|a")).segments[1].value(2) == "a"
    with pytest.raises(NotHl7, match="unknown-charset"):
        read(lines(HEADER + "JAS2020", "SPM|1|ê"))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "no-header"),
        (b"\x00\xff\xfe garbage", "no-header"),
        (b"H|\\^&|||GeneXpert\r", "no-header"),
        (b"MSH", "no-header"),
        (b"MSHA^~", "no-header"),
        (b"MSH|^~a&|app\r", "delimiters"),
        (b"MSH|^^\\&|a\r", "delimiters"),
        (b"MSH|^~\\&|a\rMSH|^~\\&|b\r", "two-messages"),
    ],
)
def test_what_is_no_message(sent: bytes, reason: str) -> None:
    with pytest.raises(NotHl7) as refused:
        read(sent)
    assert refused.value.reason == reason


def test_a_capture_with_doubled_backslashes_and_written_line_ends_is_mended() -> None:
    message = read((WIRE / "udsm_cobas6800_sarscov2_escaped.txt").read_bytes())
    names = [segment.name for segment in message.segments]
    assert names[:5] == ["MSH", "SPM", "SAC", "OBR", "OBX"]
    assert (names.count("OBX"), names.count("INV")) == (4, 16)
    assert message.header.text(2) == "^~\\&"
    assert message.segments[1].value(2) == "TBY 7363"


def test_segments_joined_by_a_written_line_end_alone_are_parted() -> None:
    assert [s.name for s in read(rb"MSH|^~\&|a\nSPM|1|b\rOBX|1").segments] == ["MSH", "SPM", "OBX"]


def test_a_message_as_sent_is_not_mended() -> None:
    sent = lines(HEADER, r"NTE|1||C:\\new\nSPM|", r"SPM|1|\E\n")
    assert unescaped_capture(sent) == sent


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
fields = st.lists(
    st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple),
    min_size=1,
    max_size=3,
)
marks_drawn = st.permutations("|^~\\&!#$%*+:;<>=?@").map(lambda drawn: Delimiters(*drawn[:5]))


def trimmed(repeats: object) -> object:
    """Trailing empty parts say nothing."""
    if isinstance(repeats, str):
        return repeats
    assert isinstance(repeats, tuple | list)
    parts = [trimmed(each) for each in repeats]
    while len(parts) > 1 and parts[-1] in ("", [""]):
        parts.pop()
    return parts


@settings(deadline=None)
@given(st.lists(fields, min_size=1, max_size=4), marks_drawn, st.sampled_from(["utf-8", "16"]))
def test_what_is_written_is_read_back(
    told: list[list[tuple[tuple[str, ...], ...]]], marks: Delimiters, width: str
) -> None:
    charset = "UNICODE UTF-16" if width == "16" else "UNICODE UTF-8"
    header = ("MSH", "app", *[None] * 14, charset)
    message = read(write([header, ("ZZZ", *told, "end")], marks))
    (back,) = message.named("ZZZ")
    assert [trimmed(back.parts(n)) for n in range(1, len(told) + 1)] == [trimmed(f) for f in told]
    assert back.text(len(told) + 1) == "end"


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([b"", b"MSH", b"MSH|^~\\&|", b"MSH|^~\\\\&|"]))
def test_no_bytes_raise_anything_but_the_refusal(data: bytes, head: bytes) -> None:
    try:
        message = read(head + data)
    except NotHl7 as refused:
        assert refused.reason
        return
    assert isinstance(message, Message)
    for segment in message.segments:
        for number in range(len(segment.raw) + 1):
            assert segment.repeats(number)
            assert segment.value(number) == segment.repeats(number)[0][0]
