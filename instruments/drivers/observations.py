"""What the HL7 drivers read alike: whose specimen it is, what the statuses say, what went wrong."""

from collections.abc import Iterable

from instruments.drivers.reading import LONGEST_ERROR, Unreadable
from instruments.hl7.message import Message, Segment
from instruments.hl7.results import Gap, Observation, Specimen, specimens
from instruments.measurement import Role

NOT_DONE = frozenset("XDWN")  # OBX-11, table 0085: cannot be, deleted, wrong specimen, not asked
_NEGATIVE = ("NEG", "NC", "NTC")
_POSITIVE = ("POS", "PC", "HPC", "LPC")


def reported(message: Message, *kinds: str) -> list[Specimen]:
    """The specimens of a message that reports results. Raises `Unreadable`: host-query,
    message-type, sequence-gap."""
    if message.kind.startswith("QBP"):
        raise Unreadable("host-query", "the analyser asks for work; this is no result")
    if message.kind not in kinds:
        raise Unreadable("message-type", f"expected {' or '.join(kinds)}, came {message.kind!r}")
    try:
        return specimens(message)
    except Gap as gap:
        raise Unreadable("sequence-gap", str(gap)) from gap


def refuse_others(message: Message, *names: str) -> None:
    """Unless MSH-3 or the first OBX-18 names one of these machines (in small letters)."""
    obx = message.first("OBX")
    told = [message.header.text(3), obx.text(18) if obx else ""]
    if not any(name in each.casefold() for each in told for name in names):
        said = " or ".join(repr(each[:40]) for each in told if each) or "nothing"
        raise Unreadable("another-instrument", f"MSH-3 and OBX-18 name {said}")


def specimen_id(specimen: Specimen) -> str:
    """SPM-2, or the container's SAC-3; "" where neither says anything. `<id>&ROCHE` is the id
    with whose it is. Raises `Unreadable` where the two name different tubes."""
    named = specimen.spm.value(2) if specimen.spm else ""
    for sac in specimen.named("SAC"):
        container = sac.value(3)
        if named and container and container != named:
            detail = f"{specimen.path}: SPM-2 and SAC-3 name different tubes"
            raise Unreadable("specimen-mismatch", detail)
        named = named or container
    return named


def refuse_without_specimen(name: str, path: str) -> str:
    if not name:
        raise Unreadable("no-specimen", f"{path}: neither SPM-2 nor SAC-3 names a specimen")
    return name


def control_role(words: Iterable[str], path: str) -> Role:
    """Of a control, by what it is called: `HIV-1 NEG CTRL`, `HPosCtrl`. Raises `Unreadable`."""
    said = " ".join(words).upper().replace("-", " ").replace("_", " ")
    negative, positive = (_says(said, marks) for marks in (_NEGATIVE, _POSITIVE))
    if negative == positive:
        raise Unreadable("unknown-control", f"{path}: a control, but of which kind?")
    return Role.NEGATIVE_CONTROL if negative else Role.POSITIVE_CONTROL


def error_of(observations: Iterable[Observation]) -> str | None:
    """Of observations that could not be done: the flags of OBX-8, with their text where it was
    sent. None where all were done."""
    undone = [each.obx for each in observations if each.obx.value(11) in NOT_DONE]
    if not undone:
        return None
    told = [flag for obx in undone for flag in _flags(obx)]
    return "; ".join(dict.fromkeys(told))[:LONGEST_ERROR] or "the test could not be done"


def status_flags(observations: Iterable[Observation]) -> tuple[str, ...]:
    """Statuses other than final, and `corrected`."""
    statuses = dict.fromkeys(each.obx.value(11) for each in observations)
    return tuple(
        "corrected" if status == "C" else f"status-{status}"
        for status in statuses
        if status not in ("", "F") and status not in NOT_DONE
    )


def refuse_twice(names: Iterable[str], path: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Unreadable("target-twice", f"{path}: {name[:40]} came twice")
        seen.add(name)


def _flags(obx: Segment) -> list[str]:
    return [" ".join(part for part in repeat[:2] if part) for repeat in obx.repeats(8) if repeat[0]]


def _says(said: str, marks: tuple[str, ...]) -> bool:
    """Long marks anywhere, as in `HPosCtrl`; short ones only as words."""
    words = said.split()
    return any(mark in said if mark in ("NEG", "POS") else mark in words for mark in marks)
