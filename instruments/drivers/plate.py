"""A generic real-time PCR cycler with 96- or 384-well plates: our own ASTM profile, version 1.1.

For cyclers whose maker's program only exports files, this is what the program beside them sends;
it is also what the simulated analyser speaks. Any LIS2-A2 delimiters may be declared.

    H|\\^&|||plate^<serial>^1.1|||||||P|LIS2-A2|<time>
    P|1
    O|n|<specimen>^<plate>^<well>||^^^<assay>|R|<collected>|||||<A or Q>
    R|1|^^^<assay>^<target>|<Ct>|Ct||<flag>||F|||<start>|<end>|<serial>^<well>
    …
    L|1|N

- One P, one plate. One O for each well that held anything, numbered 1, 2, 3 …; well `A01` to `P24`
  (to `H12` on a 96-well plate; which of the two it is, the layout says).
- O.12: `A` a specimen (or pool); `Q` a control, and the specimen is then `NTC` (no template),
  `PC` (positive) or `NEC` (negative extraction). Empty is `A`.
- One R for each target, numbered from 1 within its O. R.4 empty: no amplification. R.9 `F` final,
  `C` corrected, `X` could not be done.
- Assay `SARS2`, targets `ORF1ab`, `N` and `IC` (the internal control).
- A well that could not be measured has a C after its O or an R: `C|1|I|Error^<code>^<text>|N`.
- Times `YYYYMMDDhhmmss`, by the cycler's clock.

Version 1.0 was for 96 wells and called itself `plate96`; what says so is read as before, and the
driver goes by both names.

Without L the plate was broken off: the wells whose O was followed by another O are held results
(LIS2-A2 4.2), the last one may be half there and is left out.
"""

import re
from collections.abc import Sequence

from instruments.astm.records import Message, Node, Record
from instruments.drivers.reading import (
    LONGEST_ERROR,
    Format,
    Unreadable,
    cycles,
    instrument_errors,
    iso_time,
    refuse_faults,
)
from instruments.measurement import Measurement, Role, TargetReading

ASSAYS = {"SARS2": "sars-cov-2"}  # any other code passes as sent
CONTROLS = {
    "NTC": Role.NEGATIVE_CONTROL,
    "PC": Role.POSITIVE_CONTROL,
    "NEC": Role.EXTRACTION_CONTROL,
}
SENDERS = ("plate", "plate96")
_WELL = re.compile(r"[A-P](0[1-9]|1[0-9]|2[0-4])")


class Plate:
    """The driver of the profile above, under the name that its instrument was set up with."""

    version = "2"
    format = Format.ASTM

    def __init__(self, name: str = "plate") -> None:
        self.name = name

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: another-instrument, a fault of the records, well-name, two-plates,
        well-twice, well-mismatch, unknown-control, assay-mismatch, target-twice, cycle-number,
        no-results."""
        header = message.header
        if header and header.component(5, 1) not in SENDERS:
            raise Unreadable("another-instrument", f"H.5 is {header.component(5, 1)[:40]!r}")
        refuse_faults(message)
        measured = tuple(_well(path, order) for path, order in message.closed_orders())
        if len({m.run for m in measured}) > 1:
            raise Unreadable("two-plates", "the wells of one message name several plates")
        _refuse_twice([m.well for m in measured], "well-twice")
        if message.terminated and not measured:
            raise Unreadable("no-results", "a whole message without a well")
        return measured


def _well(path: str, node: Node) -> Measurement:
    order = node.record
    specimen, plate, well = (order.component(3, which) for which in (1, 2, 3))
    if not specimen or not plate or not _WELL.fullmatch(well):
        raise Unreadable("well-name", f"{order.name}: O.3 is not specimen^plate^well")
    error = _error(node)
    if not node.children and error is None:
        raise Unreadable("no-results", f"{order.name} has neither a result nor an error")
    targets = tuple(_target(result.record, order) for result in node.children)
    _refuse_twice([target.target for target in targets], "target-twice")
    code = order.component(5, 4)
    return Measurement(
        path=path,
        specimen=specimen,
        role=_role(order, specimen),
        assay=ASSAYS.get(code, code),
        run=plate,
        well=well,
        targets=targets,
        measured_at=next((iso_time(r.record.text(13)) for r in node.children), None),
        error=error,
        flags=_flags(node),
    )


def _target(result: Record, order: Record) -> TargetReading:
    assay, target = result.component(3, 4), result.component(3, 5)
    if assay != order.component(5, 4) or not target:
        raise Unreadable("assay-mismatch", f"{order.name}, {result.name}: R.3 is of another assay")
    if result.component(14, 2) not in ("", order.component(3, 3)):
        raise Unreadable("well-mismatch", f"{order.name}, {result.name}: R.14 is of another well")
    return TargetReading(target, cycles(result.text(4), f"{order.name}, {result.name}"))


def _role(order: Record, specimen: str) -> Role:
    if order.text(12) != "Q":
        return Role.SPECIMEN
    if specimen not in CONTROLS:
        raise Unreadable("unknown-control", f"{order.name}: {specimen[:20]!r}, not {[*CONTROLS]}")
    return CONTROLS[specimen]


def _error(node: Node) -> str | None:
    told = [instrument_errors(each) for each in (node, *node.children)]
    undone = [r.record.name for r in node.children if r.record.text(9) == "X"]
    said = [*filter(None, told), *(f"{name} could not be done" for name in undone)]
    return "; ".join(said)[:LONGEST_ERROR] or None


def _flags(node: Node) -> tuple[str, ...]:
    told = [result.record.text(7) for result in node.children]
    corrected = any(result.record.text(9) == "C" for result in node.children)
    return (*dict.fromkeys(filter(None, told)), *(("corrected",) if corrected else ()))


def _refuse_twice(names: Sequence[object], reason: str) -> None:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise Unreadable(reason, f"{twice} came twice")
