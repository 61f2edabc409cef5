"""What a machine asks to be recalled, and the recall itself."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from lims.domain.recall import RecallKind
from lims.doors.bodies import Body
from lims.doors.fields import NO_NUL, Moment, Note

Subject = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), NO_NUL
]


class RecallOfBody(Body):
    """One thing that is not to be believed: its id, or what people call it (a plate, a lot, an
    analyser). Only of an analyser, and of that always, `from` when; `to` left out goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    kind: RecallKind
    subject: Subject = Field(examples=["VN-2198"])
    from_at: Moment | None = Field(default=None, alias="from")
    to_at: Moment | None = Field(default=None, alias="to")


class RecallBody(RecallOfBody):
    """A recall under an id that the client mints; everyone who was told can read the reason."""

    recall_id: UUID
    reason: Note
