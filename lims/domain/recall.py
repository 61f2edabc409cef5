"""What can be recalled: a run, a lot of reagents or of rapid tests, an analyser's days."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lims.domain.refusals import InvalidBody


class RecallKind(StrEnum):
    """By what the doubtful results are found."""

    RUN = "run"
    REAGENT_LOT = "reagent_lot"
    KIT_LOT = "kit_lot"
    INSTRUMENT = "instrument"


class ReagentKind(StrEnum):
    """What a lot on a plate is a lot of."""

    PCR = "pcr"
    EXTRACTION = "extraction"


@dataclass(frozen=True, slots=True)
class RecallScope:
    """One thing that is not to be believed, and for an analyser since when and until when.

    ``subject_id`` is the run's, the lot's or the analyser's id. The span is half open and goes by
    when the gateway heard the analyser, so that what arrives late belongs to the day that it was
    measured on; without an end it goes on until somebody recalls no more.
    """

    kind: RecallKind
    subject_id: UUID
    from_at: datetime | None = None
    to_at: datetime | None = None

    def __post_init__(self) -> None:
        """Raises InvalidBody for a span that is missing, empty, or not an analyser's."""
        if (self.kind is RecallKind.INSTRUMENT) != (self.from_at is not None):
            fault = {"pointer": "#/from", "detail": "an analyser, and only that, has a span"}
            raise InvalidBody(errors=[fault], where="from")
        if self.to_at is not None and (self.from_at is None or self.to_at <= self.from_at):
            fault = {"pointer": "#/to", "detail": "an end that is after the beginning"}
            raise InvalidBody(errors=[fault], where="to")


@dataclass(frozen=True, slots=True)
class RecallRequest:
    """A person's decision, under an id that the client minted."""

    recall_id: UUID
    scope: RecallScope
    reason: str
