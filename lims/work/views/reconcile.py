"""Does the day add up? Every swab is somewhere, what was measured is known, what is known was told.

S25, over people swabbed and cases opened in a span of time:
registered = received + rejected + outstanding; received = answered + waiting by step; results =
findings; positive findings = cases; cases by recipients = notices = delivered + pending + dead.
Right while the day is running where the session sees one moment (``Laboratory.snapshot``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.work.views.reconcile_answers import Answers, answers_of
from lims.work.views.reconcile_parts import Difference
from lims.work.views.reconcile_swabs import Swabs, swabs_of
from lims.work.views.reconcile_told import Told, told_of


@dataclass(frozen=True, slots=True)
class Equation:
    """What must be equal: ``whole``, and the sum of ``terms`` by their names."""

    name: str
    whole: int
    terms: Mapping[str, int]

    @property
    def holds(self) -> bool:
        return self.whole == sum(self.terms.values())


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The day in numbers, and by name whatever does not add up."""

    swabs: Swabs
    answers: Answers
    told: Told

    @property
    def equations(self) -> tuple[Equation, ...]:
        """In the order of the tube's way."""
        swabs, answers, told = self.swabs, self.answers, self.told
        waiting = sum(one.swabs for one in swabs.waiting.values())
        return (
            Equation(
                "registered",
                swabs.registered,
                {
                    "received": swabs.received,
                    "rejected": swabs.rejected,
                    "outstanding": swabs.outstanding,
                },
            ),
            Equation(
                "received",
                swabs.received,
                {"answered": sum(swabs.found.values()), "waiting": waiting},
            ),
            Equation("results", answers.answered, {"findings": answers.known}),
            Equation("positive", answers.positive, {"with_case": answers.with_case}),
            Equation("cases", answers.standing, {"with_evidence": answers.carried}),
            Equation("recipients", told.due, {"notices": told.owed}),
            Equation(
                "notices",
                told.notices,
                {"delivered": told.delivered, "pending": told.pending, "dead": told.dead},
            ),
        )

    @property
    def differences(self) -> tuple[Difference, ...]:
        """In the order of the tube's way."""
        return (*self.swabs.differences, *self.answers.differences, *self.told.differences)

    @property
    def clean(self) -> bool:
        """Every equation holds and nothing is listed."""
        return not self.differences and all(one.holds for one in self.equations)


def reconcile(
    session: Session, *, site_id: UUID, since: datetime, until: datetime
) -> Reconciliation:
    """Reconcile what was registered, and the cases opened, from ``since`` up to ``until``."""
    span = {"site": site_id, "since": since, "until": until}
    return Reconciliation(
        swabs_of(session, span), answers_of(session, span), told_of(session, span)
    )
