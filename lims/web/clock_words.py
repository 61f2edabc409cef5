"""What an open positive pool waits for, and how late it is, in words."""

from datetime import timedelta
from typing import Final

from flask import Flask

from lims.domain.pooling.clock import Clock, Wait, WaitsFor
from lims.web.language import gettext as _
from lims.web.language import lasting, later_n, ngettext, now

_WAITS: Final = {
    WaitsFor.PIPETTING: later_n("%(num)s sub-pool to pipette", "%(num)s sub-pools to pipette"),
    WaitsFor.PLATE: later_n("%(num)s tube to plate", "%(num)s tubes to plate"),
    WaitsFor.RUN: later_n("%(num)s test of a run to end", "%(num)s tests of a run to end"),
    WaitsFor.SWAB: later_n("%(num)s person to swab again", "%(num)s people to swab again"),
    WaitsFor.REVIEWER: later_n(
        "a reviewer's word on %(num)s person", "a reviewer's word on %(num)s people"
    ),
}


def wait_words(wait: Wait) -> str:
    """`9 sub-pools to pipette`."""
    one, many = _WAITS[wait.what]
    return ngettext(one, many, wait.many)


def left_words(clock: Clock) -> str:
    """How long is left until the next deadline; past it, by how much."""
    if clock.due_at < now():
        return _("late: %(wait)s", wait=lasting(now() - clock.due_at))
    return _("%(wait)s left", wait=lasting(clock.due_at - now()))


def forecast_words(clock: Clock) -> str:
    """Whether it will keep its next deadline."""
    if clock.lateness > timedelta():
        return _("about %(wait)s late", wait=lasting(clock.lateness))
    return _("in time, %(wait)s to spare", wait=lasting(-clock.lateness))


def init_app(app: Flask) -> None:
    """Every page that shows a clock says it alike."""
    app.jinja_env.filters.update(
        wait_words=wait_words, left_words=left_words, forecast_words=forecast_words
    )
