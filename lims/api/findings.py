"""The endpoint of a reviewer's own system: the final word on a positive."""

from uuid import UUID

from lims.api.door import Answer, Ask, Door
from lims.work.review import Released, release_positive
from lims.work.tokens import Scope


def declare(door: Door) -> None:
    """Open the review's endpoint."""
    door.opens("POST", "/findings/<uuid:finding_id>/release", scope=Scope.REVIEW, answers=Released)(
        release
    )


def release(ask: Ask[None], finding_id: UUID) -> Answer:
    """Release a finding that waits for a reviewer; a positive's case is confirmed and told.

    Where the site wants two reviewers, the first only signs and the status stays P.
    """
    receipt = release_positive(
        ask.session, finding_id, site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(receipt, created=not receipt.replayed)
