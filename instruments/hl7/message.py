"""HL7 v2 messages: bytes to segments, and fields to bytes (HL7 v2.5.1 chapter 2).

Lenient: odd segment ends, missing trailing fields and bytes that do not fit the declared character
set never raise. What cannot be read at all raises `NotHl7` and nothing else: a reason to
quarantine, told as such. Fields count as the standard prints them, so MSH-1 is the field separator.

Segments stay as sent and a field is taken apart when it is asked for: a cobas message has two
thousand characters of which a driver wants a hundred.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from instruments.hl7.charset import UnknownCharset, decoded, encoded, wide

_LINE_END = re.compile("\r\n?|\n")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_USUAL_NAMES = frozenset(
    {"MSH", "PID", "SPM", "SAC", "OBR", "ORC", "TQ1", "OBX", "TCD", "INV", "NTE"}
)
_JOINED = re.compile(rb"\\[nr](?=[A-Z][A-Z0-9]{2}[^A-Za-z0-9 ])")
_NULL = '""'  # "delete what you have" (2.5.3.1); to a reader of results there is nothing there


class NotHl7(Exception):
    """These bytes are no HL7 v2 message. `reason` is a stable slug, `detail` is for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Delimiters:
    """As declared in MSH-1 and MSH-2 (2.5.4)."""

    field: str = "|"
    component: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @classmethod
    def declared(cls, header: str) -> "Delimiters":
        """Of an MSH segment; what it leaves out keeps its usual character. Raises `NotHl7`."""
        return USUAL if header[3:9] == _USUAL_HEADER else cls._declared(header)

    @classmethod
    def _declared(cls, header: str) -> "Delimiters":
        usual = cls()
        mark = header[3:4]
        if not mark or mark.isalnum() or mark.isspace():
            raise NotHl7("no-header", "MSH declares no field separator")
        given = header[4:8].split(mark, 1)[0]
        left_out = (usual.component, usual.repeat, usual.escape, usual.subcomponent)[len(given) :]
        marks = (mark, *given, *left_out)
        if len(set(marks)) < len(marks) or any(each.isalnum() for each in marks):
            raise NotHl7("delimiters", f"MSH declares {mark + given!r}, of which some are the same")
        return cls(*marks)

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repeat + self.escape + self.subcomponent


USUAL = Delimiters()
_USUAL_HEADER = "|^~\\&|"
Repeats = tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, still escaped. `raw[n]` is field n; in MSH, `raw[1]` is the separator itself."""

    raw: tuple[str, ...]
    marks: Delimiters = USUAL
    codec: str = "utf-8"

    @property
    def name(self) -> str:
        return self.raw[0]

    def value(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Of the first repeat, unescaped and stripped; "" when not sent or sent as `""`. Without
        more said it is the first component's first sub-component, as 2.10.6 asks of readers."""
        if number >= len(self.raw) or not (part := self.raw[number]):
            return ""
        marks = self.marks
        for mark, which in (
            (marks.repeat, 1),
            (marks.component, component),
            (marks.subcomponent, subcomponent),
        ):
            if mark in part:
                parts = part.split(mark, which)
                part = parts[which - 1] if which <= len(parts) else ""
            elif which > 1:
                return ""
        text = self._plain(part).strip()
        return "" if text == _NULL else text

    def text(self, number: int) -> str:
        """The whole field, unescaped and stripped, for a field that is text."""
        text = self._plain(self._field(number)).strip()
        return "" if text == _NULL else text

    def components(self, number: int) -> tuple[str, ...]:
        """First sub-components of the field's first repeat, stripped."""
        return self.repeats(number)[0]

    def repeats(self, number: int) -> tuple[tuple[str, ...], ...]:
        """For each repeat its components' first sub-components, stripped."""
        return tuple(
            tuple("" if (text := part[0].strip()) == _NULL else text for part in repeat)
            for repeat in self.parts(number)
        )

    def parts(self, number: int) -> Repeats:
        """Repeats, components, sub-components: unescaped, with every blank as sent."""
        marks = self.marks
        return tuple(
            tuple(
                tuple(self._plain(part) for part in component.split(marks.subcomponent))
                for component in repeat.split(marks.component)
            )
            for repeat in self._field(number).split(marks.repeat)
        )

    def _field(self, number: int) -> str:
        return self.raw[number] if number < len(self.raw) else ""

    def _plain(self, text: str) -> str:
        return unescape(text, self.marks, self.codec) if self.marks.escape in text else text


@dataclass(frozen=True, slots=True)
class Message:
    """One message, MSH first."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        return self.segments[0]

    @property
    def kind(self) -> str:
        """Message code and trigger event, for example `OUL^R22` (MSH-9)."""
        return f"{self.header.value(9, 1)}^{self.header.value(9, 2)}".rstrip("^")

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.value(10)

    def named(self, name: str) -> Iterator[Segment]:
        return (segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        return next(self.named(name), None)


def read(data: bytes) -> Message:
    """Raises `NotHl7`: no-header, delimiters, unknown-charset, two-messages."""
    data = data if wide(data) else unescaped_capture(data.lstrip(b"\0\r\n \t"))
    try:
        text, codec = decoded(data)
    except UnknownCharset as error:
        raise _unknown(error) from error
    sent = _LINE_END.split(text) if "\n" in text else text.split("\r")
    lines = [line for each in sent if (line := each.strip("\0 "))]
    if not lines or not lines[0].startswith("MSH"):
        raise NotHl7("no-header", "the message does not begin with MSH")
    marks = Delimiters.declared(lines[0])
    segments: list[list[str]] = []
    for line in lines:
        name = line[:3]
        if line[3:4] in ("", marks.field) and (name in _USUAL_NAMES or _NAME.fullmatch(name)):
            segments.append(line.split(marks.field))
        else:  # a CR in a text that was never escaped
            segments[-1][-1] += "\r" + line
    if any(fields[0] == "MSH" for fields in segments[1:]):
        raise NotHl7("two-messages", "a second MSH stands in the message")
    segments[0].insert(1, marks.field)
    return Message(tuple(Segment(tuple(fields), marks, codec) for fields in segments))


def write(segments: Sequence[Sequence[object]], marks: Delimiters = USUAL) -> bytes:
    """A message as it is sent: CR after every segment, in the character set that its MSH-18 names.

    A str is escaped; a list is repeats, a tuple is components and a tuple in it is sub-components;
    None is nothing. The MSH comes as `("MSH", MSH-3, MSH-4, …)`: MSH-1 and MSH-2 are of `marks`.
    Raises `NotHl7`: unknown-charset.
    """
    lines = []
    for fields in segments:
        name, *rest = fields
        written = [_written(value, marks) for value in rest]
        if name == "MSH":
            written.insert(0, marks.encoding)
        lines.append(marks.field.join([str(name), *written]).rstrip(marks.field))
    try:
        return encoded("".join(f"{line}\r" for line in lines), marks.field)
    except UnknownCharset as error:
        raise _unknown(error) from error


def _unknown(error: UnknownCharset) -> NotHl7:
    return NotHl7("unknown-charset", f"MSH-18 is {str(error)[:40]!r}")


def unescaped_capture(data: bytes) -> bytes:
    r"""A capture out of a log or a JSON file, with its backslashes doubled (`^~\\&`) or its
    segments joined by a literal `\n`, as the analyser had sent it; anything else unchanged."""
    head = data[:64].lstrip(b"\x0b\0\r\n \t\"'")
    if not head.startswith(b"MSH"):
        return data
    if head[4:5] and b"\\\\" in head[4:9]:
        mended = re.sub(rb'\\(["\\/nrt])', lambda found: _LITERALS[found[1]], data)
        return mended.strip(b"\"' ")
    if b"\r" not in data.strip() and b"\n" not in data.strip():
        return _JOINED.sub(b"\r", data)
    return data


_LITERALS = {b'"': b'"', b"\\": b"\\", b"/": b"/", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def escape(text: str, marks: Delimiters) -> str:
    """2.7: delimiters by letter, control characters as X and two hexadecimal digits."""
    letters = {
        marks.field: "F",
        marks.component: "S",
        marks.subcomponent: "T",
        marks.repeat: "R",
        marks.escape: "E",
    }
    if not any(c in letters or c < " " for c in text):
        return text
    codes = (letters.get(c) or (f"X{ord(c):02X}" if c < " " else "") for c in text)
    return "".join(
        f"{marks.escape}{code}{marks.escape}" if code else c
        for c, code in zip(text, codes, strict=True)
    )


def unescape(text: str, marks: Delimiters, codec: str = "utf-8") -> str:
    """An escape that is of no use to a reader of results, or an escape character standing alone,
    stays; `.br` is a line end, `H` and `N` (highlighting) go."""
    plain = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repeat,
        "E": marks.escape,
        "H": "",
        "N": "",
        ".br": "\n",
        ".sp": "\n",
    }

    def replaced(found: re.Match[str]) -> str:
        code = found[1]
        return _of_bytes(code[1:], codec) if code[0] == "X" else plain[code]

    mark = re.escape(marks.escape)
    codes = r"[FSTREHN]|\.br|\.sp|X(?:[0-9A-Fa-f]{2})+"
    return re.sub(f"{mark}({codes}){mark}", replaced, text)


def _of_bytes(digits: str, codec: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _written(value: object, marks: Delimiters, depth: int = 0) -> str:
    match value:
        case list():
            return marks.repeat.join(_written(each, marks) for each in value)
        case tuple():
            joint = marks.subcomponent if depth else marks.component
            return joint.join(_written(each, marks, depth + 1) for each in value).rstrip(joint)
        case None:
            return ""
        case _:
            return escape(str(value), marks)
