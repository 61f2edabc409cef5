"""Abbott m2000 (m2000sp with m2000rt): LIS2-A2 over a serial line or TCP, one message an order.

Written from a captured session (tests/data/astm_wire, m2000_run_one_session.bin, program 8.1.9.0);
Abbott's interface document was not at hand. What the capture does not show is said to be from
memory.

    O|1|<specimen>|<specimen>^<plate>^<well>|^^^<assay>^<protocol>|…|<O.26: F, or X: failed>
    R|n|^^^<assay>^<protocol>^<lot>^<control lot>^^<suffix>|<value>|<unit>||||F||<operator>||<end>

    suffix F   the result: a word, or a number of copies, which is told in `flags`
    suffix I   the interpretation: `call`
    suffix P   the cycle number, -1.00 for none: `ct_cycles` of a target named as the assay

A failed order has O.26 X, a C with `<code> : <what>` and no R: a measurement with that error. R.14
is the serial number. Controls come as ordinary orders whose id is the assay's name with NEG, POS,
LOPOS or HIPOS after an underscore (LOPOS and NEG in the capture, the others from memory). O.26
other than F and X (C corrected, P preliminary: LIS2-A2 9.4.26) is told in `flags`.

Without L the message was broken off: the orders after which another O or P came are held results
(LIS2-A2 4.2), the last one may be half there and is left out.
"""

import re
from dataclasses import dataclass

from instruments.astm.records import Message, Node
from instruments.drivers.reading import (
    LONGEST_ERROR,
    Format,
    Unreadable,
    cycles,
    instrument_errors,
    iso_time,
    orders_told,
    refuse_faults,
)
from instruments.measurement import Measurement, Role, TargetReading

_CONTROL = re.compile(r".+_(NEG|POS|LOPOS|HIPOS)", re.IGNORECASE)
_WELL = re.compile(r"([A-H])(\d{1,2})")
_SUFFIXES = frozenset("FIP")


@dataclass(slots=True)
class _Said:
    """What the results of one order said, by suffix."""

    result: str | None = None
    unit: str = ""
    call: str | None = None
    ct_cycles: float | None = None
    cycle_told: bool = False
    ended: str | None = None


class M2000:
    """The driver of the session above."""

    name = "m2000"
    version = "2"
    format = Format.ASTM

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: another-instrument, no-terminator, a fault of the records,
        no-specimen, specimen-mismatch, well-name, no-results, assay-mismatch, result-suffix,
        target-twice, cycle-number."""
        header = message.header
        if header and header.component(5, 1).casefold() != "m2000":
            raise Unreadable("another-instrument", f"H.5 is {header.component(5, 1)[:40]!r}")
        refuse_faults(message)
        measured = tuple(_measured(path, order) for path, order in orders_told(message))
        if not measured:
            raise Unreadable("no-results", "a whole message without an order")
        return measured


def _measured(path: str, node: Node) -> Measurement:
    order = node.record
    specimen, assay = order.component(3, 1), order.component(5, 4)
    if not specimen:
        raise Unreadable("no-specimen", f"{order.name}: O.3 is empty")
    if order.component(4, 1) not in ("", specimen):
        raise Unreadable("specimen-mismatch", f"{order.name}: O.3 and O.4 name two specimens")
    said = _said(node, assay)
    error = _error(node)
    if error is None and not said.cycle_told and said.call is None and said.result is None:
        raise Unreadable("no-results", f"{order.name} has neither a result nor an error")
    return Measurement(
        path=path,
        specimen=specimen,
        role=_role(specimen),
        assay=assay,
        run=order.component(4, 2) or None,
        well=_well(node),
        call=said.call or said.result,
        targets=(TargetReading(assay, said.ct_cycles, said.call),) if said.cycle_told else (),
        measured_at=iso_time(said.ended or ""),
        error=error,
        flags=_flags(node, said),
    )


def _said(order: Node, assay: str) -> _Said:
    said, seen = _Said(), set[str]()
    for node in order.children:
        result = node.record
        if result.component(3, 4) != assay:
            raise Unreadable("assay-mismatch", f"{result.name}: R.3 is not of the order's assay")
        suffix = result.component(3, 9)
        if suffix not in _SUFFIXES:
            raise Unreadable("result-suffix", f"{result.name}: {suffix[:10]!r}, not F, I or P")
        if suffix in seen:
            raise Unreadable("target-twice", f"{result.name}: suffix {suffix} came twice")
        seen.add(suffix)
        said.ended = said.ended or result.text(13)
        match suffix:
            case "F":
                said.result, said.unit = result.text(4) or None, result.text(5)
            case "I":
                said.call = result.text(4) or None
            case _:
                said.cycle_told = True
                said.ct_cycles = cycles(result.text(4), result.name)
    return said


def _error(node: Node) -> str | None:
    """Of an order that failed, what its comments say: the machine sends them as notes (type I)."""
    if node.record.text(26) != "X":
        return instrument_errors(node)
    told = "; ".join(filter(None, (comment.text(4) for comment in node.comments)))
    return told[:LONGEST_ERROR] or "the order could not be done"


def _flags(node: Node, said: _Said) -> tuple[str, ...]:
    flags = list(dict.fromkeys(filter(None, (each.record.text(7) for each in node.children))))
    if said.result and any(letter.isdigit() for letter in said.result):
        flags.append(f"result {said.result} {said.unit}".strip())
    if node.record.text(26) not in ("F", "X", ""):
        flags.append(f"status-{node.record.text(26)[:4]}")
    return tuple(flags)


def _role(specimen: str) -> Role:
    kind = _CONTROL.fullmatch(specimen)
    if kind is None:
        return Role.SPECIMEN
    return Role.NEGATIVE_CONTROL if kind[1].upper() == "NEG" else Role.POSITIVE_CONTROL


def _well(node: Node) -> str | None:
    """`A1` as the machine writes it, `A01` as everybody else."""
    text = node.record.component(4, 3)
    if text == "":
        return None
    named = _WELL.fullmatch(text)
    if named is None or not 1 <= int(named[2]) <= 12:
        raise Unreadable("well-name", f"{node.record.name}: {text[:10]!r} is no well of 96")
    return f"{named[1]}{int(named[2]):02}"
