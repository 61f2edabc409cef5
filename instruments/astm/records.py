"""CLSI LIS2-A2 (ASTM E1394) records: a message's bytes to a tree, and fields to bytes.

Lenient: odd line ends, missing trailing fields, text that is not UTF-8 and unknown records never
raise. What does not fit (a gap in a sequence, a result without an order) becomes a `Fault` for
the driver to judge, because a fault is a reason to quarantine and never a reason not to
acknowledge. Fields count from 1, the type letter, as the standard prints them.

A header in mid-message, without a terminator before it, is a resumption: after a failure the
sender repeats only H, the parents and the unsaved tail (section 4.2). A repeated parent with the
same text is the same record, and numbers go on where the first part stopped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

_PRINTED = 1024
_NUMBERS = tuple(str(number) for number in range(_PRINTED))
TYPES = frozenset("HPORCQLMS")  # section 3.1.1
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16
_LONGEST_NUMBER = 10  # digits; Python refuses to read more than some thousands


class Delimiters(NamedTuple):
    """As declared in H.2 (section 5.4); GeneXpert declares `|@^\\`."""

    field: str = "|"
    repeat: str = "\\"
    component: str = "^"
    escape: str = "&"

    @classmethod
    def declared(cls, header: str) -> "Delimiters":
        """Of an H record; what it leaves out keeps its usual value."""
        usual = cls()
        if len(header) < 2:
            return usual
        given = header[2:5].split(header[1], 1)[0]
        left_out = (usual.repeat, usual.component, usual.escape)[len(given) :]
        return cls(header[1], *given, *left_out)


class Record(NamedTuple):
    """One record, still escaped; ask for a field by its number in the standard.

    A named tuple, like its delimiters: a session makes dozens, and a tuple is made and compared
    at a third of what a frozen dataclass costs.
    """

    raw: tuple[str, ...]
    delimiters: Delimiters = Delimiters()

    @property
    def type(self) -> str:
        return self.raw[0]

    @property
    def number(self) -> int | None:
        """Field 2 as a sequence number; None where it is no number."""
        text = self.raw[1] if len(self.raw) > 1 else ""
        return _numbered(text) if len(text) < 8 else _numbered.__wrapped__(text)

    @property
    def name(self) -> str:
        """For a person: the record's letter and number as sent."""
        return f"{self.type}|{self._field(2)}"

    def text(self, number: int) -> str:
        """The whole field, unescaped and stripped; "" when it was not sent."""
        text = self.raw[number - 1] if number <= len(self.raw) else ""
        marks = self.delimiters
        return (unescape(text, marks) if marks.escape in text else text).strip()

    def components(self, number: int) -> tuple[str, ...]:
        """Of the field's first repeat."""
        marks = self.delimiters
        return _parts(self._field(number).split(marks.repeat, 1)[0], marks)

    def sent(self, number: int) -> int:
        """With how many components the field's first repeat was sent, empty ones counted."""
        marks = self.delimiters
        return self._field(number).split(marks.repeat, 1)[0].count(marks.component) + 1

    def component(self, number: int, which: int) -> str:
        """Component `which`, from 1; "" when it was not sent."""
        marks = self.delimiters
        parts = self._field(number).split(marks.repeat, 1)[0].split(marks.component, which)
        return unescape(parts[which - 1], marks).strip() if which <= len(parts) else ""

    def repeats(self, number: int) -> tuple[tuple[str, ...], ...]:
        marks = self.delimiters
        return tuple(_parts(repeat, marks) for repeat in self._field(number).split(marks.repeat))

    def _field(self, number: int) -> str:
        return self.raw[number - 1] if number <= len(self.raw) else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit. `reason` is a slug a driver may pass on as its quarantine."""

    reason: str
    detail: str


@dataclass(slots=True)
class Node:
    """A record with what belongs to it: P holds O, O holds R, and each its comments (C)."""

    record: Record
    comments: list[Record] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)
    number: int | None = None  # of the record, read once


@dataclass(slots=True)
class Message:
    """One message from H to L. `others` are queries and manufacturer's records, in order."""

    header: Record | None = None
    resumed_by: Record | None = None  # the last header of a resumption
    terminator: Record | None = None
    comments: list[Record] = field(default_factory=list)
    patients: list[Node] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def terminated(self) -> bool:
        """Whether L came. Every L closes a message; L.3 says only how the sender fared."""
        return self.terminator is not None

    def orders(self) -> Iterator[tuple[str, Node]]:
        """Each order with its path in the message: "O3", or "P2O3" below a later patient."""
        for at, patient in enumerate(self.patients, start=1):
            for order in patient.children:
                path = f"O{order.record.number}"
                yield (path if at == 1 else f"P{at}{path}"), order

    def closed_orders(self) -> Iterator[tuple[str, Node]]:
        """Those that are whole: all of a message that has its L; of one that was broken off, those
        after which another O or another P came (section 4.2)."""
        last = self.patients[-1].children[-1:] if self.patients else []
        open_ = None if self.terminated or not last else last[0]
        return ((path, order) for path, order in self.orders() if order is not open_)


def read(text: bytes) -> Message:
    """Never raises: see `Message.faults`."""
    tree = _Tree()
    for record in records(text):
        tree.add(record)
    return tree.message


def records(text: bytes) -> Iterator[Record]:
    """The records of a message. CR ends a record (section 4.4.1); LF and CR LF are borne; a line
    that begins no record goes on with the one before, for a CR that was never escaped."""
    marks = Delimiters()
    begins = _beginnings(marks.field)
    held = ""
    new = tuple.__new__  # a third of the time of its own
    for line in _lines(text):
        is_header = line[:1] == "H" and _is_header(line)
        if held:
            if line[:2] not in begins and not is_header:
                held += f"\r{line}" if line else ""
                continue
            yield new(Record, (tuple(held.split(marks.field)), marks))
        held = line
        if is_header:
            marks = Delimiters.declared(line)
            begins = _beginnings(marks.field)
    if held:
        yield Record(tuple(held.split(marks.field)), marks)


def write(fields: Sequence[object], marks: Delimiters) -> bytes:
    """One record with its CR. A str is escaped; a tuple is components, a list is repeats. An H
    record gives its delimiters from `marks`, whatever stands in field 2."""
    written = [_written(value, marks) for value in fields]
    if written[0] == "H":
        written[1:2] = [marks.repeat + marks.component + marks.escape]
    return marks.field.join(written).rstrip(marks.field).encode("utf-8") + b"\r"


def escape(text: str, marks: Delimiters) -> str:
    """Section 5.4.6: delimiters by letter, control characters as X and two hexadecimal digits."""
    letters = {marks.field: "F", marks.component: "S", marks.repeat: "R", marks.escape: "E"}
    out = (letters.get(c) or (f"X{ord(c):02X}" if c < " " else None) for c in text)
    return "".join(
        c if code is None else f"{marks.escape}{code}{marks.escape}"
        for c, code in zip(text, out, strict=True)
    )


def unescape(text: str, marks: Delimiters) -> str:
    """An escape that the standard does not know, or an escape character standing alone, stays."""
    if marks.escape not in text:
        return text
    mark = re.escape(marks.escape)

    def plain(found: re.Match[str]) -> str:
        match found[1][0]:
            case "F":
                return marks.field
            case "S":
                return marks.component
            case "R":
                return marks.repeat
            case "E":
                return marks.escape
            case _:
                return _decoded(bytes.fromhex(found[1][1:]))

    return re.sub(rf"{mark}([FSRE]|X(?:[0-9A-Fa-f]{{2}})+){mark}", plain, text)


def _written(value: object, marks: Delimiters) -> str:
    match value:
        case list():
            return marks.repeat.join(_written(each, marks) for each in value)
        case tuple():
            return marks.component.join(_written(each, marks) for each in value)
        case None:
            return ""
        case _:
            return escape(str(value), marks)


@lru_cache(maxsize=64)
def _beginnings(field_mark: str) -> frozenset[str]:
    """What a record may begin with: its letter and a field's mark, or its letter alone."""
    return TYPES | {letter + field_mark for letter in TYPES}


@lru_cache(maxsize=1024)
def _numbered(text: str) -> int | None:
    plain = text.strip()
    is_number = len(plain) <= _LONGEST_NUMBER and plain.isascii() and plain.isdigit()
    return int(plain) if is_number else None


def _parts(text: str, marks: Delimiters) -> tuple[str, ...]:
    parts = text.split(marks.component)
    if marks.escape in text:
        parts = [unescape(part, marks) for part in parts]
    return tuple([part.strip() for part in parts])


def _lines(text: bytes) -> list[str]:
    """A message of one piece is decoded at once, one that mixes encodings line by line."""
    if text[:2] in _BYTE_ORDER_MARKS:
        whole = text.decode("utf-16", errors="replace")
    else:
        try:
            whole = text.decode("utf-8")
        except UnicodeDecodeError:
            whole = "\r".join(_decoded(line) for line in re.split(rb"\r\n?|\n", text))
    if "\n" in whole:
        whole = whole.replace("\r\n", "\r").replace("\n", "\r")
    lines = whole.split("\r")
    return [line.strip("\0") for line in lines] if "\0" in whole else lines


def _decoded(line: bytes) -> str:
    """UTF-8 as we ask for; Latin-1, which takes every byte, as older machines send. Escaped bytes
    may be UTF-16, which then says so by its byte order mark."""
    if line[:2] in _BYTE_ORDER_MARKS:
        return line.decode("utf-16", errors="replace")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _is_header(line: str) -> bool:
    return len(line) > 1 and line[0] == "H" and not line[1].isalnum() and line[1] != " "


class _Tree:
    """Hangs each record where it belongs, by the hierarchy of section 4.1."""

    def __init__(self) -> None:
        self.message = Message()
        self._patient: Node | None = None
        self._order: Node | None = None
        self._comments = self.message.comments
        self._results: list[Node] | None = None  # of the order, while all has gone as it should
        self._resumed = False
        self._closed = False

    def add(self, record: Record) -> None:
        raw, results = record.raw, self._results
        if results is not None and raw[0] == "R" and len(raw) > 1:  # what most records are
            number = len(results) + 1
            if raw[1] == (_NUMBERS[number] if number < _PRINTED else str(number)):
                node = Node(record, [], [], number)
                results.append(node)
                self._comments = node.comments
                return
        self._misplaced(record)
        self._results = None if record.type in "HPOL" else self._results
        match record.type:
            case "H":
                self._header(record)
            case "P":
                self._patient = self._child(self.message.patients, record)
                self._order = None
            case "O":
                self._patient = self._patient or self._nobody()
                self._order = self._child(self._patient.children, record)
                straight = not (self._resumed or self._closed or self.message.faults)
                self._results = self._order.children if straight else None
            case "R" if self._order is not None:
                self._child(self._order.children, record)
            case "R":
                self._fault("no-order", f"{record.name} came without an O")
            case "C" if self._resumed and record in self._comments:
                pass
            case "C":
                self._comments.append(record)
            case "L":
                self.message.terminator = record
                self._closed = True
            case _ if record.type in TYPES:
                self.message.others.append(record)
            case _:
                self._fault("unknown-record", f"a record of type {record.type[:8]!r}")

    def _misplaced(self, record: Record) -> None:
        if self.message.header is None and record.type != "H" and not self.message.faults:
            self._fault("no-header", f"{record.name} came before any H")
        if self._closed:
            self._fault("after-terminator", f"{record.name} came after L")

    def _header(self, record: Record) -> None:
        first = self.message.header
        if first is None:
            self.message.header = record
            return
        if first.text(5) != record.text(5):
            self._fault("another-sender", "the resumption came from another sender than the start")
        self._resumed = True
        self.message.resumed_by = record
        self._patient = self._order = None
        self._comments = []

    def _child(self, siblings: list[Node], record: Record) -> Node:
        """Append, or in a resumption find again; the numbers of siblings run 1, 2, 3 … (6.2)."""
        if self._resumed:
            for node in siblings:
                if node.record.raw == record.raw:
                    self._comments = node.comments
                    return node
        before = siblings[-1] if siblings else None
        node = Node(record, [], [], record.number)
        if node.number != (before.number or 0 if before else 0) + 1:
            after = before.record.name if before else "nothing"
            self._fault("sequence-gap", f"after {after} came {record.name}")
        siblings.append(node)
        self._comments = node.comments
        return node

    def _nobody(self) -> Node:
        """Some senders leave P out."""
        node = Node(Record(("P", "1")), number=1)
        self.message.patients.append(node)
        return node

    def _fault(self, reason: str, detail: str) -> None:
        self.message.faults.append(Fault(reason, detail))
        self._results = None
