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
between commas. Words and decimal marks follow the machine's language and are passed as sent.
"""

from dataclasses import dataclass, field

from instruments.astm.records import Message, Node, Record
from instruments.drivers.reading import (
    Format,
    Unreadable,
    cycles,
    instrument_errors,
    iso_time,
    refuse_faults,
)
from instruments.measurement import Measurement, Role, TargetReading

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
    targets: dict[str, _Target] = field(default_factory=dict)


class GeneXpert:
    """The driver of the documents above."""

    name = "genexpert"
    version = "1"
    format = Format.ASTM

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: another-instrument, no-terminator, a fault of the records,
        host-query, no-specimen, no-results, no-main-result, truncated-record, unknown-control,
        cycle-number."""
        header = message.header
        if header and not any("genexpert" in part.casefold() for part in header.components(5)):
            raise Unreadable("another-instrument", f"H.5 is {header.text(5)[:40]!r}")
        refuse_faults(message)
        if not message.terminated:
            raise Unreadable("no-terminator", "the message was broken off before L")
        if any(record.type == "Q" for record in message.others):
            raise Unreadable("host-query", "the analyser asks for orders; none are sent to it")
        measured = tuple(m for path, order in message.orders() for m in _cartridge(path, order))
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


def _groups(order: Node) -> list[_Group]:
    groups: list[_Group] = []
    for node in order.children:
        result = node.record
        of, assay, analyte, suffix = (
            _assay(result),
            result.component(3, 5),
            result.component(3, 7),
            result.component(3, 8),
        )
        if assay and suffix:
            continue
        if assay:
            groups.append(_Group(node))
            continue
        group = next((g for g in reversed(groups) if _assay(g.main.record) == of), None)
        if group is None:
            raise Unreadable("no-main-result", f"{result.name} is of {of!r}, which has none before")
        target = group.targets.setdefault(analyte, _Target())
        if not suffix:
            target.call = result.component(4, 1) or None
        elif suffix.casefold() == "ct":
            target.ct = cycles(result.component(4, 2), result.name)
    return groups


def _measured(path: str, group: _Group, specimens: tuple[str, ...], role: Role) -> Measurement:
    main = group.main.record
    if len(main.components(14)) < 2:
        raise Unreadable("truncated-record", f"{main.name}: R.14 does not name the cartridge")
    statuses = [repeat[0] for repeat in main.repeats(9)]
    return Measurement(
        path=f"{path}R{main.number}",
        specimen=specimens[0],
        specimens=specimens,
        role=role,
        assay=_assay(main),
        call=main.component(4, 1) or None,
        targets=tuple(TargetReading(name, t.ct, t.call) for name, t in group.targets.items()),
        measured_at=iso_time(main.text(13)),
        error=instrument_errors(group.main),
        flags=(
            *filter(None, [main.text(7)]),
            *(f"status-{status}" for status in statuses if status not in ("", "F")),
        ),
    )


def _assay(result: Record) -> str:
    panel, code = result.component(3, 2), result.component(3, 4)
    return f"{panel}^{code}" if panel else code


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
