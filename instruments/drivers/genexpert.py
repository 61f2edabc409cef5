"""Cepheid GeneXpert Dx and Xpertise: LIS documents 301-2002 rev E and 302-7279 rev A.

Results come in three levels under one order (302-7279 section 6.3.4.1.6.1), told apart by R.3 =
`^panel^^code^assay^version^analyte^suffix`:

    main           component 5 present, 8 empty    the call in R.4, times, cartridge in R.14
    analyte        5 empty, 7 present, 8 empty     one target's call; SPC, the control: PASS NA FAIL
    complementary  5 empty, 7 and 8 present        Ct, EndPt, Delta Ct of that target

Each main result is one measurement: a SARS-CoV-2/Flu/RSV cartridge gives four. Its assay is the
code as sent, `panel^code` (or `code` alone when there is no panel). A quantitative main result
with suffix LOG repeats the one before it in other units and is passed over. Ct 0 is none.

O.26 is F even for an error, so R.4 and the C records are read. R.14 names system, instrument,
module, cartridge, lot and expiry; a main result whose R.14 is not there or is cut short is a
record that was cut, and then nothing of the message is trusted. A pool has several ids in O.3,
between commas. Words and decimal marks follow the machine's language: words are passed as sent,
a decimal comma is read. A call that says in one of the languages of the program's menu (the words
are from memory, not from the documents) that there is no result is told as an error too, so that
nobody downstream has to know the language to see that this is no negative.

Without L the message was broken off: the cartridges whose O was followed by another O or P are held
results (LIS2-A2 4.2), the last one may be half there and is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeVar

from instruments.astm.records import Delimiters, Message, Node, Record
from instruments.drivers.reading import (
    Format,
    Unreadable,
    cycles,
    instrument_errors,
    iso_time,
    orders_told,
    refuse_faults,
)
from instruments.measurement import Measurement, Role, TargetReading

_T = TypeVar("_T")
_LONGEST_REMEMBERED = 128  # characters of a field: what is remembered is bounded in both ways
_MOST_REMEMBERED = 4096
_NO_RESULT = (
    *("ERROR", "INVALID", "NO RESULT"),
    *("ERREUR", "NON VALIDE", "INVALIDE", "PAS DE RÉSULTAT", "AUCUN RÉSULTAT"),
    *("INVÁLIDO", "NO VÁLIDO", "SIN RESULTADO", "ERRO", "SEM RESULTADO"),
    *("FEHLER", "UNGÜLTIG", "KEIN ERGEBNIS", "ERRORE", "NON VALIDO", "NESSUN RISULTATO"),
    *("ОШИБКА", "НЕДЕЙСТВИТЕЛЬНО", "НЕТ РЕЗУЛЬТАТА"),
    *("LỖI", "KHÔNG HỢP LỆ", "KHÔNG CÓ KẾT QUẢ"),
)
_NEGATIVE = frozenset({"NC", "NTC", "NEG", "NEGATIVE"})
_POSITIVE = frozenset({"PC", "POS", "POSITIVE"})


@dataclass(slots=True)
class _Target:
    call: str | None = None
    ct: float | None = None


@dataclass(slots=True)
class _Group:
    """A main result and what was said about its targets, in the order sent."""

    main: Node
    of: str
    call: str
    targets: dict[str, _Target] = field(default_factory=dict)


class GeneXpert:
    """The driver of the documents above."""

    name = "genexpert"
    version = "3"
    format = Format.ASTM

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: another-instrument, no-terminator, a fault of the records,
        host-query, no-specimen, no-results, no-main-result, truncated-record, unknown-control,
        cycle-number."""
        header = message.header
        if header and not any("genexpert" in part.casefold() for part in header.components(5)):
            raise Unreadable("another-instrument", f"H.5 is {header.text(5)[:40]!r}")
        refuse_faults(message)
        orders = orders_told(message)
        if any(record.type == "Q" for record in message.others):
            raise Unreadable(
                "host-query", "the analyser asks for orders, and this line answers none"
            )
        measured = tuple(m for path, order in orders for m in _cartridge(path, order))
        if not measured:
            raise Unreadable("no-results", "no order has a result")
        return measured


def _cartridge(path: str, node: Node) -> list[Measurement]:
    order = node.record
    specimens = _specimens(order)
    role = _role(order, specimens[0])
    if not node.children:
        undone = instrument_errors(node)
        if undone is None and order.text(26) != "X":
            raise Unreadable("no-results", f"{order.name} has neither a result nor an error")
        return [
            Measurement(
                path=path,
                specimen=specimens[0],
                specimens=specimens,
                role=role,
                assay=order.component(5, 4),
                targets=(),
                error=undone or "the order could not be done",
            )
        ]
    return [_measured(path, group, specimens, role) for group in _groups(node)]


class _Place(NamedTuple):
    """What R.3 says a result is of."""

    of: str
    assay: str
    analyte: str
    suffix: str


class _Remembered(dict[str, _T]):
    """A field as sent, to what it says: an assay says the same few dozen over and over. Bounded in
    number and length, for what comes over a line may be anything."""

    def __init__(self, read: Callable[[str], _T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> _T:
        said = self._read(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = said
        return said


class _Fields:
    """How the fields of records with these delimiters are read."""

    def __init__(self, marks: Delimiters) -> None:
        self._marks = marks
        self.place = _Remembered(self._place)
        self.value = _Remembered(self._value)

    def _place(self, text: str) -> _Place:
        parts = Record(("R", "1", text), self._marks).components(3)
        _, panel, _, code, assay, _, analyte, suffix, *_ = (*parts, *[""] * 8)
        return _Place(f"{panel}^{code}" if panel else code, assay, analyte, suffix.casefold())

    def _value(self, text: str) -> tuple[str, ...]:
        """R.4: the word, then the number."""
        return (*Record(("R", "1", "", text), self._marks).components(4), "", "")


_fields = lru_cache(maxsize=16)(_Fields)
_cycle_numbers = _Remembered(lambda number: cycles(number, ""))  # what is refused is not remembered


def _cycles(number: str, result: Record) -> float | None:
    try:
        return _cycle_numbers[number]
    except Unreadable:
        return cycles(number, result.name)  # refuses it again, by name


def _groups(order: Node) -> list[_Group]:
    groups: dict[str, _Group] = {}
    found: list[_Group] = []
    fields = _fields(order.record.delimiters)
    places, values = fields.place, fields.value
    for node in order.children:
        raw = node.record.raw
        of, assay, analyte, suffix = places[raw[2] if len(raw) > 2 else ""]
        if assay:
            if not suffix:
                groups[of] = group = _Group(node, of, values[raw[3] if len(raw) > 3 else ""][0])
                found.append(group)
            continue
        if of not in groups:
            name = node.record.name
            raise Unreadable("no-main-result", f"{name} is of {of!r}, which has none before")
        targets = groups[of].targets
        target = targets.get(analyte)
        if target is None:
            target = targets[analyte] = _Target()
        if not suffix:
            target.call = values[raw[3] if len(raw) > 3 else ""][0] or None
        elif suffix == "ct":
            target.ct = _cycles(values[raw[3] if len(raw) > 3 else ""][1], node.record)
    return found


def _measured(path: str, group: _Group, specimens: tuple[str, ...], role: Role) -> Measurement:
    main = group.main.record
    if main.sent(14) < 2:
        raise Unreadable("truncated-record", f"{main.name}: R.14 does not name the cartridge")
    flag, status = main.text(7), main.text(9)
    call = group.call or None
    return Measurement(
        path=f"{path}R{main.number}",
        specimen=specimens[0],
        specimens=specimens,
        role=role,
        assay=group.of,
        call=call,
        targets=tuple([_reading(name, t.ct, t.call) for name, t in group.targets.items()]),
        measured_at=_ended(main.text(13)),
        error=instrument_errors(group.main) or _no_result(call),
        flags=() if not flag and status == "F" else _flags(flag, main),
    )


def _reading(name: str, ct: float | None, call: str | None) -> TargetReading:
    short = len(name) + len(call or "") <= _LONGEST_REMEMBERED
    return _known_reading(name, ct, call) if short else TargetReading(name, ct, call)


_known_reading = lru_cache(maxsize=_MOST_REMEMBERED)(TargetReading)


def _flags(flag: str, main: Record) -> tuple[str, ...]:
    statuses = [repeat[0] for repeat in main.repeats(9)]
    told = [f"status-{status}" for status in statuses if status not in ("", "F")]
    return (*filter(None, [flag]), *told)


_ended = lru_cache(maxsize=16)(iso_time)  # the main results of a cartridge end together


@lru_cache(maxsize=256)
def _no_result(call: str | None) -> str | None:
    """The call itself, where it says that the cartridge gave none."""
    return call if call and call.upper().startswith(_NO_RESULT) else None


def _specimens(order: Record) -> tuple[str, ...]:
    ids = [each.strip() for repeat in order.repeats(3) for each in repeat[0].split(",")]
    specimens = tuple(dict.fromkeys(filter(None, ids)))
    if not specimens:
        raise Unreadable("no-specimen", f"{order.name}: O.3 is empty")
    return specimens


def _role(order: Record, specimen: str) -> Role:
    if order.text(12) != "Q":
        return Role.SPECIMEN
    words = set(specimen.upper().replace("-", " ").replace("_", " ").split())
    if words & _NEGATIVE:
        return Role.NEGATIVE_CONTROL
    if words & _POSITIVE:
        return Role.POSITIVE_CONTROL
    raise Unreadable("unknown-control", f"{order.name}: a control, but of which kind?")
