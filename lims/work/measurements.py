"""Find a measurement that waits for a person's word, and lock it with its run."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.lifecycle import STANDING_MOVES, RunState, Standing
from lims.domain.refusals import IllegalMove, InvalidBody, NotFound
from lims.tables import Measurement, Run
from lims.work.judge_run import Judged


@dataclass(frozen=True, slots=True)
class Locked:
    """A measurement and the run it was made in, if it names one we know."""

    measurement: Measurement
    run: Run | None

    @property
    def judged(self) -> Judged | None:
        """The run's verdict, in the form that writing results takes."""
        if self.run is None:
            return None
        return Judged(
            self.run.id,
            self.run.plate,
            RunState(self.run.state),
            self.run.verdict_why or "",
            fresh=False,
        )


def locked_measurement(session: Session, measurement_id: UUID) -> Locked:
    """Lock the run first, then the measurement, as a message does. Raises NotFound."""
    named = session.execute(
        select(Measurement.run_id).where(Measurement.id == measurement_id)
    ).one_or_none()
    if named is None:
        raise NotFound(came=str(measurement_id), where="measurement_id")
    run = None
    if named.run_id is not None:
        run = session.scalars(
            select(Run)
            .where(Run.id == named.run_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).one()
    measurement = session.scalars(
        select(Measurement)
        .where(Measurement.id == measurement_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return Locked(measurement, run)


def refuse_unless(measurement: Measurement, expected: Standing) -> None:
    """Raise IllegalMove when the measurement does not stand where the verb starts from."""
    standing = Standing(measurement.standing)
    if standing is not expected:
        raise IllegalMove(
            source=standing,
            target=f"past {expected}",
            allowed=sorted(STANDING_MOVES[standing]),
            where=f"measurement {measurement.id}",
        )


def given_reason(reason: str) -> str:
    """The reason, tidied. Raises InvalidBody when there is none: a person signs for it."""
    said = reason.strip()
    if not said:
        raise InvalidBody(
            errors=[{"pointer": "#/reason", "detail": "say why, for whoever reads this later"}],
            where="reason",
            came="nothing",
        )
    return said
