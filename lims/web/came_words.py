"""What came, as a rule wrote it down in English, said again in this request's language.

A rule's sentence of values (`came`) is part of the API's answer and stays English there; a page
says it by these patterns, with days, moments and counts as everywhere on the page. One that no
pattern knows is a barcode, a name or a number: it is shown as it came.
`tests/web/test_refusals_in_vietnamese.py` fails on a rule whose words none knows.
"""

import re
from datetime import date, datetime
from typing import Final

from lims.domain.lifecycle import CaseState, RunState, TubeKind, TubeState
from lims.web.lab_words import WORDS
from lims.web.language import day, gettext, later, num, when
from lims.web.reasons import reason
from lims.web.said_again import known, patterns

_MEMBERS: Final = {str(one): one for one in (*RunState, *TubeKind, *TubeState, *CaseState)}
_COUNTS: Final = frozenset({"n", "most", "low", "high", "last"})
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII
)
_TARGETS: Final = {
    "pooled": later("into a pool"),
    "attached": later("a measurement attached"),
    "filled": later("a plate to be filled"),
    "plated": later("onto a plate"),
    "dismissed": later("dismissed"),
}
_PATTERNS: Final = patterns(
    (
        r"correction of a rapid test → accepted",
        later("the second value of a rapid test"),
    ),
    (r"none of its cases", later("none of its cases")),
    (r"nothing to resolve → .+", later("nothing of the pool is open")),
    (
        r"(?P<n>\d+) of (?P<most>\d+) not drawn",
        later("%(n)s of %(most)s draws are not scanned"),
    ),
    (r"(?P<tube>\S+) with (?P<ul>\d+) µl", later("%(tube)s with %(ul)s µl")),
    (r"(?P<tube>\S+) is a sub-pool", later("%(tube)s is a sub-pool")),
    (r"(?P<state>\w+) → (?P<state_to>\w+)", later("%(state)s → %(state_to)s")),
    (r"(?P<tube>\S+) is in pool (?P<pool>\S+)", later("%(tube)s is in pool %(pool)s")),
    (
        r"(?P<barcode>\S+) is on plate (?P<plate>\S+), (?P<well>\S+)",
        later("%(barcode)s is on plate %(plate)s, %(well)s"),
    ),
    (r"(?P<barcode>\S+) is in (?P<well>\S+)", later("%(barcode)s is in %(well)s")),
    (r"(?P<what>.+), (?P<n>\d+) wells", later("%(what)s, %(n)s wells")),
    (r"(?P<well>\S+) holds another tube", later("%(well)s holds another tube")),
    (r"(?P<one>\S+) and (?P<other>\S+)", later("%(one)s and %(other)s")),
    (r"(?P<tube>\S+) is not received yet", later("%(tube)s is not received yet")),
    (r"(?P<tube>\S+) is a (?P<state>\w+)", later("%(tube)s: %(state)s")),
    (r"(?P<tube>\S+) for (?P<assay>\S+)", later("%(tube)s for %(assay)s")),
    (r"(?P<n>\d+), at most (?P<most>\d+)", later("%(n)s, at most %(most)s")),
    (r"(?P<n>\d+) tubes, at most (?P<most>\d+)", later("%(n)s tubes, at most %(most)s")),
    (r"(?P<n>\d+) people, at most (?P<most>\d+)", later("%(n)s people, at most %(most)s")),
    (
        r"(?P<n>\d+) minutes: too early, read it from (?P<low>\d+) to (?P<high>\d+)",
        later("%(n)s minutes: too early, read it from %(low)s to %(high)s"),
    ),
    (
        r"(?P<n>\d+) minutes: too late, read it from (?P<low>\d+) to (?P<high>\d+)",
        later("%(n)s minutes: too late, read it from %(low)s to %(high)s"),
    ),
    (r"(?P<n>\d+) minutes from now", later("%(n)s minutes from now")),
    (
        r"lot (?P<lot>\S+), expired on (?P<at>\S+)",
        later("lot %(lot)s, expired on %(at)s"),
    ),
    (
        r"lot (?P<lot>\S+) expires on (?P<one>\S+), the box says (?P<other>\S+)",
        later("lot %(lot)s expires on %(one)s, the box says %(other)s"),
    ),
    (r"(?P<name>.+) is item (?P<other>\S+)", later("%(name)s is item %(other)s")),
    (r"(?P<n>\d+) characters", later("%(n)s characters")),
    (r"no (?P<parts>.+) in the code", later("no %(parts)s in the code")),
    (r"(?P<part>\S+): wrong check digit", later("%(part)s: wrong check digit")),
    (r"(?P<part>\S+): no such day", later("%(part)s: no such day")),
    (r"(?P<part>\S+) is not on a kit's box", later("%(part)s is not on a kit's box")),
    (r"(?P<part>\S+) twice", later("%(part)s twice")),
    (r"(?P<one>\S+) beside (?P<other>\S+)", later("%(one)s beside %(other)s")),
    (r"(?P<n>\d+) to (?P<most>\d+)", later("%(n)s to %(most)s")),
    (r"nobody waits", later("nobody waits for a strip")),
    (r"other numbers were confirmed before", later("other numbers were confirmed before")),
    (r"now (?P<what>\d.*)", later("now %(what)s")),
    (
        r"(?P<assay>.+) for (?P<tube>\S+), a tube of (?P<other>\S+)",
        later("%(assay)s for %(tube)s, a tube of %(other)s"),
    ),
    (
        r"(?P<tube>\S+), which is being tested",
        later("%(tube)s, which is being tested"),
    ),
    (r"plate (?P<plate>.+)", later("plate %(plate)s")),
    (r"row (?P<row>.+), column (?P<column>.+)", later("row %(row)s, column %(column)s")),
    (
        r"a member of a positive pool, whose own test is to come",
        later("a member of a positive pool, whose own test is to come"),
    ),
    (
        r"a person who is to be swabbed again",
        later("a person who is to be swabbed again"),
    ),
    (r"a rapid test that waits for its PCR", later("a rapid test that waits for its PCR")),
    (
        r"results that disagree, which a reviewer looks at",
        later("results that disagree, which a reviewer looks at"),
    ),
    (
        r"an inconclusive result, which a reviewer looks at",
        later("an inconclusive result, which a reviewer looks at"),
    ),
    (
        r"a positive that a reviewer has not released",
        later("a positive that a reviewer has not released"),
    ),
    (
        r"a negative that a reviewer has not released",
        later("a negative that a reviewer has not released"),
    ),
    (
        r"a result that a newer one has replaced",
        later("a result that a newer one has replaced"),
    ),
    (r"two tubes for (?P<well>\S+)", later("two tubes for %(well)s")),
    (r"(?P<well>\S+) is a control's well", later("%(well)s is a control's well")),
    (r"(?P<tube>\S+) in two wells", later("%(tube)s in two wells")),
    (r"more than (?P<n>\d+)", later("more than %(n)s")),
    (r"more than (?P<n>\d+) rows", later("more than %(n)s rows")),
    (
        r"one that (?P<team>.+) claimed at (?P<at>\S+)",
        later("one that %(team)s claimed at %(at)s"),
    ),
    (r"one that is (?P<state>\w+)", later("one that is %(state)s")),
    (r"one that nobody holds", later("one that nobody holds")),
    (r"one disabled: (?P<why>.+)", later("one disabled: %(why)s")),
    (r"characters that no barcode has", later("characters that no barcode has")),
    (r"the same person twice", later("the same person twice")),
    (r"one who was merged already", later("one who was merged already")),
    (
        r"one under whom others were merged: keep that one",
        later("one under whom others were merged: keep that one"),
    ),
    (r"two people with two card numbers", later("two people with two card numbers")),
    (
        r"one whose identity conflict is not decided",
        later("one whose identity conflict is not decided"),
    ),
    (r"one specimen_id for two people", later("one specimen for two people")),
    (r"specimen (?P<id>\S+) is in another tube", later("the specimen is in another tube")),
    (r"an empty queue", later("an empty queue")),
    (r"nothing|none", later("nothing")),
    (r"another reading under this id", later("another content under the same id")),
    (r"(?:other|another) .+ under .+", later("another content under the same id")),
    (r"case (?P<id>\S+)", later("case %(id)s")),
    (
        r"(?P<code>\S+) of scheme (?P<scheme>\S+)",
        later("%(code)s of scheme %(scheme)s"),
    ),
    (r"(?P<n>\d+), the last is (?P<last>\d+)", later("%(n)s, the last is %(last)s")),
    (
        r"a token that is unknown or revoked",
        later("a token that is unknown or revoked"),
    ),
)


def came_words(came: str) -> str:
    """The words of what came; a record's own reason is said as everywhere."""
    one = known(_PATTERNS, came)
    if one is None:
        return reason(_on_the_calendar(came))
    return gettext(one.said, **{name: _written(name, text) for name, text in one.facts.items()})


def _written(name: str, text: str) -> str:
    if name in _COUNTS:
        return num(int(text))
    if not name.startswith("state"):
        return _on_the_calendar(text)
    if text in _MEMBERS:
        return gettext(WORDS[_MEMBERS[text]])
    return gettext(_TARGETS.get(text, text))


def _on_the_calendar(text: str) -> str:
    """21/11/2026 for 2026-11-21, 21/11 08:12 for a moment; all else as it is."""
    try:
        if _DAY.fullmatch(text):
            return day(date.fromisoformat(text))
        if _MOMENT.fullmatch(text):
            return when(datetime.fromisoformat(text))
    except ValueError:
        return text
    return text
