"""A POCT1-A2 message: one XML document, its values in attributes `V` (POCT01-A2, appendix B).

    <OBS.R01>
      <HDR><HDR.control_id V="27"/><HDR.version_id V="POCT1"/><HDR.creation_dttm V="…"/></HDR>
      <SVC>…</SVC>
    </OBS.R01>

The root names the message. A coded value may bring its system (`SN`) and a name for people (`DN`).
A document type, and with it any entity, is refused before it is expanded: no message has one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.parsers import expat

MOST_DEPTH: Final = 64  # levels; a message has five


class NotPoct1(ValueError):
    """The bytes are no message. `reason`: a stable slug; `detail`: for a person, without values."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Element:
    """A field, or an object of fields."""

    name: str
    attributes: Mapping[str, str]
    children: list["Element"] = field(default_factory=list)

    def named(self, name: str) -> list["Element"]:
        """Of its own children."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Element | None":
        """The first below it, at any level."""
        return next(self.below(name), None)

    def below(self, name: str) -> Iterator["Element"]:
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.below(name)

    def value(self, name: str) -> str:
        """`V` of the first field of this name below it; "" where there is none."""
        found = self.first(name)
        return found.v if found else ""

    @property
    def v(self) -> str:
        return self.attributes.get("V", "").strip()


@dataclass(frozen=True, slots=True)
class Message:
    """One document and what its header says."""

    root: Element

    @property
    def kind(self) -> str:
        return self.root.name

    @property
    def control_id(self) -> str:
        return self.root.value("HDR.control_id")


def read(data: bytes) -> Message:
    """Raises `NotPoct1`: not-xml, document-type, too-deep, not-poct1."""
    open_: list[Element] = []
    roots: list[Element] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(open_) >= MOST_DEPTH:
            raise NotPoct1("too-deep", f"more than {MOST_DEPTH} levels")
        element = Element(name, attributes)
        (open_[-1].children if open_ else roots).append(element)
        open_.append(element)

    def end(_name: str) -> None:
        open_.pop()

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NotPoct1("not-xml", f"the XML cannot be read: {error}") from error
    except NotPoct1:
        raise
    except (LookupError, UnicodeError, ValueError) as error:
        raise NotPoct1("not-xml", "the declared encoding cannot be read") from error
    if not any(child.name == "HDR" for child in roots[0].children):
        raise NotPoct1("not-poct1", f"expected HDR in the message, came <{roots[0].name[:40]}>")
    return Message(roots[0])


def poct_time(text: str) -> str | None:
    """ISO 8601 as sent, with a zone only where one was sent; None where it is no time: a wrong
    clock is no reason to hold a result back. `-00:00`, "in UTC, of an unknown place" (RFC 3339,
    4.3), is how readers write their wall clock: taken as a time without a zone."""
    unzoned = text.removesuffix("-00:00")
    try:
        return datetime.fromisoformat(unzoned).isoformat() if len(unzoned) > 10 else None
    except ValueError:
        return None


def _refuse_document_type(*_told: object) -> None:
    raise NotPoct1("document-type", "the XML declares a document type; no message has one")
