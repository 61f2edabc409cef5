"""What an analyser asks for and is told: the queries of IHE LAW (Laboratory Analytical Workflow).

    analyser                          us
    QBP^Q11  "what of this tube?"  →
                                   ←  RSP^K11  "heard" (LAB-27)
                                   ←  OML^O33  the work, or ORC-1 DC for none (LAB-28)
    ORL^O34  "taken"               →
    OUL^R22  the results (LAB-29)  →
                                   ←  ACK

IHE PaLM TF-2b, LAB-27 and LAB-28. Asked for is a tube (WOS) or everything that waits (WOS_ALL); by
rack or tray nobody here knows, so that is rejected. No patient goes to an analyser: it needs a tube
and a test. Pure: the orders are given, nothing is looked up here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from instruments.hl7.acknowledgement import Code, answer_header, error_segment, written
from instruments.hl7.message import Message

EVERYTHING: Final = "WOS_ALL"
_STAT, _ROUTINE = "S", "R"  # TQ1-9, table 0485


@dataclass(frozen=True, slots=True)
class Order:
    """Work that waits on one tube. `tests`: the instrument's own assay codes, each with the
    laboratory's number of the order; `specimen_type` after table 0487."""

    specimen: str
    tests: tuple[tuple[str, str], ...]
    specimen_type: str = ""
    control: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """QPD: about one tube, or about everything that waits (`specimen` is then ""). `fit`: it is
    one of the two."""

    message: Message
    tag: str
    specimen: str

    @property
    def name(self) -> tuple[str, ...]:
        """QPD-1, to be given back as it came."""
        qpd = self.message.first("QPD")
        return qpd.components(1) if qpd else ()

    @property
    def fit(self) -> bool:
        return bool(self.specimen) or self.name[:1] == (EVERYTHING,)


def query_of(message: Message) -> Query | None:
    """None when the message asks for no work."""
    qpd = message.first("QPD")
    if message.kind != "QBP^Q11" or qpd is None:
        return None
    return Query(message, qpd.value(2), qpd.value(3))


def worklist_answer(
    query: Query, orders: Sequence[Order] | None, now: datetime
) -> tuple[bytes, ...]:
    """The messages to send, in order: that the query was heard, then one for each tube. `orders`
    None: that cannot be told now, and so the query is answered with an error. A machine that hears
    "no work" measures nothing."""
    if not query.fit:
        return (_heard(query, now, Code.REJECT),)
    if orders is None:
        return (_heard(query, now, Code.ERROR),)
    wanted = [order for order in orders if query.specimen in ("", order.specimen)]
    if not wanted and query.specimen:
        wanted = [Order(query.specimen, ())]
    return (_heard(query, now, Code.ACCEPT), *(_work(query, order, now) for order in wanted))


_WHY: Final = {
    Code.ERROR: "the orders cannot be told now; ask again",
    Code.REJECT: f"asked can be for one tube's barcode (QPD-3), or for all ({EVERYTHING})",
}


def _heard(query: Query, now: datetime, code: Code) -> bytes:
    """QAK-2 after table 0208: OK, AE for an error, AR for a question that is none here."""
    of, known = query.message, code is Code.ACCEPT
    segments: list[tuple[object, ...]] = [
        answer_header(of, "RSP^K11", now),
        ("MSA", str(code), of.control_id),
        *([] if known else [error_segment(code, _WHY[code])]),
        ("QAK", query.tag, "OK" if known else str(code), query.name),
        ("QPD", query.name, query.tag, query.specimen or None),
    ]
    return written(segments, of.header.marks)


def _work(query: Query, order: Order, now: datetime) -> bytes:
    of = query.message
    at = now.strftime("%Y%m%d%H%M%S+0000")
    role = "Q" if order.control else "P" if order.tests else "U"
    segments: list[tuple[object, ...]] = [
        answer_header(of, "OML^O33", now, which=order.specimen, profile="LAB-28^IHE"),
        (
            "SPM",
            "1",
            order.specimen,
            None,
            order.specimen_type or None,
            *[None] * 6,
            (role, "", "HL70369"),
        ),
        ("SAC", None, None, order.specimen),
    ]
    if not order.tests:
        segments.append(("ORC", "DC", *[None] * 7, at))
    for code, number in order.tests:
        segments.append(("ORC", "NW", number, *[None] * 6, at))
        segments.append(("TQ1", *[None] * 8, (_STAT if order.urgent else _ROUTINE, "", "HL70485")))
        segments.append(("OBR", None, number, None, code))
    return written(segments, of.header.marks)
