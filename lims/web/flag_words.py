"""What stands beside a result in this request's language: the analyser's flags, its clock's fault.

A flag that no pattern knows is the analyser's own text and is shown as it came.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Flask

from lims.domain.instrument_clock import ClockDoubt, ClockFault
from lims.web.language import gettext, lasting, later, ngettext
from lims.web.said_again import known, patterns

_YEAR: Final = timedelta(days=365.25)
_FLAGS: Final = patterns(
    (r"corrected|status-C", later("the analyser corrected it")),
    (r"resent", later("sent by the analyser before")),
    (r"status-P", later("the analyser calls it preliminary")),
    (r"status-(?P<status>.+)", later("the analyser's status is %(status)s")),
    (r"lot-(?P<lot>.+)", later("cassette lot %(lot)s")),
    (r"expires-(?P<day>.+)", later("cassette expires %(day)s")),
    (r"ct-(?P<ct>.+)-of-unknown", later("a second Ct %(ct)s, of what is not said")),
    (r"result (?P<words>.+)", later("the analyser gives %(words)s")),
    (r"NOAMP", later("no amplification (NOAMP)")),
    (r"EXPFAIL", later("no exponential phase (EXPFAIL)")),
    (r"NOISE", later("noise higher than in other wells (NOISE)")),
    (r"NOSIGNAL", later("no signal in the well (NOSIGNAL)")),
    (r"SPIKE", later("spikes in the curve (SPIKE)")),
    (r"OFFSCALE", later("fluorescence off the scale (OFFSCALE)")),
    (r"BADROX", later("bad passive reference (BADROX)")),
    (r"HIGHSD", later("replicates far apart (HIGHSD)")),
    (r"BLFAIL", later("no baseline found (BLFAIL)")),
    (r"THOLDFAIL", later("no threshold found (THOLDFAIL)")),
    (r"CTFAIL", later("no Ct found (CTFAIL)")),
    (r"AMPNC", later("amplification in the negative control (AMPNC)")),
    (r"AMPSCORE", later("weak amplification score (AMPSCORE)")),
    (r"CQCONF", later("Ct of low confidence (CQCONF)")),
)
_DOUBTS: Final[Mapping[ClockFault, str]] = {
    ClockFault.BEHIND: later("its clock is %(long)s behind"),
    ClockFault.AHEAD: later("its clock is %(long)s ahead"),
    ClockFault.FUTURE: later("measured %(long)s after it came, by its clock"),
}


def flag_words(flag: str) -> str:
    """An analyser's flag in words where it is known."""
    one = known(_FLAGS, flag)
    return flag if one is None else gettext(one.said, **one.facts)


def doubt_words(doubt: ClockDoubt) -> str:
    """What an analyser's clock cannot be right about: 3 years behind."""
    return gettext(_DOUBTS[doubt.fault], long=_long(doubt.by))


def _long(by: timedelta) -> str:
    years = round(by / _YEAR)
    return ngettext("%(num)s year", "%(num)s years", years) if years >= 2 else lasting(by)


def init_app(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.filters.update(flag=flag_words, doubt=doubt_words)
