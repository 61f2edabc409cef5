"""Sentences that the rules wrote down as their reason, said again in this request's language.

Results, orders and verdicts keep their reason as one English sentence of numbers and names; it is
part of the record and never rewritten. A sentence that no pattern knows is shown as it was kept.
"""

import re
from typing import Final

from lims.domain import barcodes
from lims.web.language import gettext, language, later, num
from lims.web.names import who
from lims.web.said_again import known, patterns

_CYCLES: Final = r"[\d.]+"
_PATTERNS: Final = patterns(
    (
        r"the machine's own calls disagree: (?P<words>.+), whole test (?P<whole>.+)",
        later("the machine's own calls disagree: %(words)s; the whole test %(whole)s"),
    ),
    (
        r"(?P<numbers>.+), but the machine's own call: (?P<words>.+)",
        later("%(numbers)s, but the machine says: %(words)s"),
    ),
    (
        r"the machine's own call is not known: (?P<words>.+)",
        later("the machine's word is not known here: %(words)s"),
    ),
    (r"the machine's own call: (?P<words>.+)", later("the machine says: %(words)s")),
    (
        r"no target, internal control called (?P<words>.+)",
        later("no target, and the machine says of the internal control: %(words)s"),
    ),
    (r"no cycle number", later("no cycle number")),
    (
        r"negative control (?P<well>\w+), the machine's own call: (?P<words>.+)",
        later(
            "negative control %(well)s, the machine says: %(words)s. Contamination: nothing counts."
        ),
    ),
    (rf"(?P<hits>.+) ≤ (?P<limit>{_CYCLES}) cycles", later("%(hits)s, at most %(limit)s")),
    (
        rf"(?P<hits>.+) between (?P<low>{_CYCLES}) and (?P<high>{_CYCLES}) cycles",
        later("%(hits)s, weak: between %(low)s and %(high)s"),
    ),
    (
        r"no target, internal control missing",
        later("no target, and the internal control is missing"),
    ),
    (
        rf"no target, internal control (?P<ct>{_CYCLES}) > (?P<limit>{_CYCLES}) cycles",
        later("no target, and the internal control is late: %(ct)s, limit %(limit)s"),
    ),
    (
        rf"no target, internal control (?P<ct>{_CYCLES}) cycles",
        later("no target, internal control good: %(ct)s"),
    ),
    (
        rf"only (?P<late>{_CYCLES}) > (?P<limit>{_CYCLES}) cycles, "
        rf"internal control (?P<ct>{_CYCLES}) cycles",
        later("only after %(limit)s: %(late)s; internal control good: %(ct)s"),
    ),
    (r"instrument error: (?P<error>.+)", later("the analyser reported an error: %(error)s")),
    (
        r"negative control (?P<well>\w+) amplified: (?P<hits>.+)",
        later("negative control %(well)s amplified: %(hits)s. Contamination: nothing counts."),
    ),
    (
        rf"positive control (?P<well>\w+) late: (?P<ct>{_CYCLES}) > (?P<limit>{_CYCLES}) "
        r"cycles",
        later("positive control %(well)s is late: %(ct)s, limit %(limit)s"),
    ),
    (
        r"positive control (?P<well>\w+) did not amplify",
        later("positive control %(well)s did not amplify"),
    ),
    (
        r"positive control (?P<well>\w+) was not measured",
        later("positive control %(well)s was not measured"),
    ),
    (
        r"positive control (?P<well>\w+) failed: (?P<error>.+)",
        later("positive control %(well)s failed: %(error)s"),
    ),
    (
        r"negative control (?P<well>\w+) was not measured",
        later("negative control %(well)s was not measured"),
    ),
    (
        r"negative control (?P<well>\w+) failed: (?P<error>.+)",
        later("negative control %(well)s failed: %(error)s"),
    ),
    (
        r"negative control clean, positive control on time",
        later("negative control clean, positive control on time"),
    ),
    (r"the plate has no positive control", later("the plate has no positive control")),
    (r"the plate has no negative control", later("the plate has no negative control")),
    (r"waiting for the rest of the plate", later("waiting for the rest of the plate")),
    (r"incomplete message", later("cut off: it counts by itself once the whole message comes")),
    (r"the whole message came", later("the whole message came")),
    (r"another value for this strip", later("another value for this rapid test")),
    (
        r"what the reader scanned names nobody here",
        later("what was scanned in the reader names nobody here"),
    ),
    (
        r"what the reader scanned names several people",
        later("what was scanned in the reader names several people"),
    ),
    (
        r"no rapid test of this person is open",
        later("no rapid test of this person waits to be read"),
    ),
    (
        r"several rapid tests of this person are open",
        later("several rapid tests of this person wait to be read"),
    ),
    (
        r"the reader's word is not known: (?P<word>.+)",
        later("the reader's word is not known: %(word)s"),
    ),
    (
        r"the desk has marked another result on this strip",
        later("the desk has marked another result on this rapid test"),
    ),
    (
        r"read (?P<minutes>-?\d+) minutes after the drop",
        later("read %(minutes)s minutes after the drop, outside the kit's window"),
    ),
    (r"kit lot (?P<lot>.+) had expired", later("the kit lot %(lot)s had expired")),
    (
        r"one message speaks twice of one strip",
        later("one message speaks twice of one rapid test"),
    ),
    (
        r"the strip of this person was read before",
        later("the rapid test of this person was read before"),
    ),
    (r"not measured in its run", later("not measured in its run")),
    (r"pool detected", later("its pool is positive")),
    (r"pool inconclusive", later("its pool is inconclusive")),
    (r"pool invalid twice", later("its pool was invalid twice")),
    (r"sub-pool detected", later("a sub-pool of its pool is positive")),
    (r"row (?P<n>\d+) of pool (?P<pool>\S+)", later("row %(n)s of pool %(pool)s")),
    (r"column (?P<n>\d+) of pool (?P<pool>\S+)", later("column %(n)s of pool %(pool)s")),
    (r"group (?P<n>\d+) of pool (?P<pool>\S+)", later("group %(n)s of pool %(pool)s")),
    (r"pool (?P<n>\d+) of pool (?P<pool>\S+)", later("sub-pool %(n)s of pool %(pool)s")),
    (r"check (?P<n>\d+) of pool (?P<pool>\S+)", later("check pool %(n)s of pool %(pool)s")),
    (r"sub-pool asked for again", later("sub-pool asked for again")),
    (
        r"(?P<because>.+); last draw",
        later("%(because)s; the last draw of this tube"),
    ),
    (r"no volume left", later("no volume left")),
    (r"tube invalid twice", later("the tube was invalid twice")),
    (r"tube rejected", later("the tube was rejected")),
    (
        r"tube rejected, its pool cannot clear it",
        later("the tube was rejected, and its pool cannot clear it"),
    ),
    (r"field pool detected", later("pooled at the desk, and positive")),
    (r"recalled: (?P<because>.+)", later("recalled: %(because)s")),
    (r"rapid test recalled", later("the rapid test was recalled")),
    (r"its run was invalidated: (?P<because>.+)", later("its run was invalidated: %(because)s")),
    (r"run again: (?P<because>.+)", later("run again: %(because)s")),
    (r"run again", later("run again")),
    (r"invalid: repeat", later("invalid: repeated with a fresh extraction")),
    (r"inconclusive: repeat", later("inconclusive: repeated")),
    (r"run gave no evidence", later("its run gave no evidence")),
    (
        r"positive pool of negatives",
        later("the pool is positive, its members are negative"),
    ),
    (
        r"field pool inconclusive",
        later("pooled at the desk, and inconclusive"),
    ),
    (
        r"measurement attached by (?P<by>.+)",
        later("a measurement was attached by %(by)s"),
    ),
    (
        r"nothing asks for it any more",
        later("nothing asks for it any more"),
    ),
    (r"another value for this well", later("another value for this well")),
    (r"another value for this test", later("another value for this test")),
    (r"the same was said before", later("the same was said before")),
    (
        r"plate (?P<plate>.+) is not laid out here",
        later("plate %(plate)s is not laid out here"),
    ),
    (
        r"the gateway reads it as (?P<told>.+), but it is set up here as (?P<driver>.+)",
        later("read as %(told)s, but set up here as %(driver)s: its word alone does not count"),
    ),
    (
        r"plate (?P<plate>\S+) has no well (?P<well>.+)",
        later("plate %(plate)s has no well %(well)s"),
    ),
    (
        r"the layout has (?P<barcode>[0-9A-Z]+) in (?P<well>.+)",
        later("the layout has %(barcode)s in %(well)s"),
    ),
    (
        r"the layout has a (?P<role>\w+) in (?P<well>.+)",
        later("the layout has a control in %(well)s"),
    ),
    (
        r"the plate is for (?P<assay>\S+), came (?P<came>.+)",
        later("the plate is for %(assay)s, came %(came)s"),
    ),
    (
        r"came after the run was judged (?P<state>\w+)",
        later("came after the run was judged"),
    ),
    (r"no rule reads assay (?P<assay>.+)", later("no rule reads the assay %(assay)s")),
    (r"no tube (?P<barcode>.+) here", later("no tube %(barcode)s here")),
    (r"nobody asked for (?P<analyte>.+)", later("nobody asked for %(analyte)s")),
    (r"no test is waiting on this tube", later("no test is waiting on this tube")),
    (rf"(?P<hits>[^>]+) > (?P<limit>{_CYCLES}) cycles", later("%(hits)s, later than %(limit)s")),
)
_QUOTED: Final = frozenset({"error", "numbers"})
_AS_SENT: Final = frozenset({"words", "whole"})
_DECIMAL: Final = re.compile(r"\d+\.\d+")


def reason(kept: str | None) -> str:
    """The kept sentence in this request's language, numbers as the language writes them."""
    if not kept:
        return ""
    one = known(_PATTERNS, kept)
    if one is None:
        return kept
    return gettext(one.said, **{name: _written(name, text) for name, text in one.facts.items()})


def _written(name: str, text: str) -> str:
    """24.8 as 24,8 in Vietnamese; barcodes and words stay. A reason may quote another."""
    if name == "because" or (name in _QUOTED and known(_PATTERNS, text) is not None):
        return reason(text)
    if name in _AS_SENT:
        return text
    if name == "by":
        return who(text)
    if name == "barcode":
        return barcodes.shown(text) if barcodes.is_valid(text) else text
    if language() == "en":
        return text
    return _DECIMAL.sub(lambda one: num(float(one[0]), 1), text)
