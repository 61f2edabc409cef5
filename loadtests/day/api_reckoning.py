"""The end of a day in somebody else's laboratory, asked tube by tube over its API.

Seen: every tube that was answered for, its state and its swabs; every case and notice; the truth
against both. Not seen, and therefore not claimed: strips that left no tube, rows behind the API
that are there twice, and what the receivers of webhooks heard.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from lims.demo.client import Refused, Station
from lims.demo.ledger import Ledger
from lims.demo.physics import Error
from lims.demo.reconcile import Difference as Explained
from lims.demo.reconcile import Reckoning
from lims.demo.story import notices
from lims.demo.truth import Commune, Villager
from loadtests.day.reckoning import DayReckoned, Difference, Equation

_ANSWERED: Final = frozenset({"negative", "positive", "presumptive", "recollect", "discordant"})
_LIVE: Final = frozenset({"presumptive", "confirmed"})
NOT_FOUND: Final = 404


def reckon_by_api(reader: Station, watch: Station, commune: Commune, ledger: Ledger) -> DayReckoned:
    """Raises NoAnswer where the target stops answering."""
    own = sorted(label for label in ledger.labelled if label[2] != "P")
    tubes = {label: _tube(reader, label) for label in own}
    places = Counter(_place(tube) for tube in tubes.values())
    lost = [f"tube {label}" for label, tube in tubes.items() if tube is None]
    lost += _swabs_gone(ledger, own, tubes)
    strangers = _strangers(ledger, tubes)
    said = notices(watch)[0]
    named, live = _named(watch, commune, {n["case_id"] for n in said if n["case_id"]})
    of_ours = [n for n in said if n["case_id"] in named]
    states = Counter(n["state"] for n in of_ours)
    lost += [f"notice {n['notice_id']}: {n['state']}" for n in of_ours if n["state"] == "dead"]
    found = {villager for case, villager in named.items() if case in live}
    missed = [_missed(ledger, v) for v in sorted(commune.infected - found)]
    false = [_false(ledger, v) for v in sorted(found - commune.infected)]
    sub_pools = len(ledger.sub_pools)
    truth = Reckoning(
        people=len(commune.villagers),
        tubes=len(ledger.labelled),
        pools=len(ledger.labelled) - len(own) - sub_pools,
        positive_pools=0,
        sub_pools=sub_pools,
        retests=0,
        true_positives=len(commune.infected & found),
        cases=len(live),
        missed=tuple(missed),
        false=tuple(false),
        notices_owed=len(of_ours),
        notices_delivered=states["delivered"],
        notices_pending=states["owed"],
        lost=tuple(lost),
        duplicated=tuple(strangers),
    )
    return _reckoned(truth, commune, ledger, own, places)


def _reckoned(
    truth: Reckoning, commune: Commune, ledger: Ledger, own: list[str], places: Counter[str]
) -> DayReckoned:
    unexplained = (
        *(("missed, unexplained", d) for d in truth.missed if d.why is None),
        *(("false, unexplained", d) for d in truth.false if d.why is None),
    )
    return DayReckoned(
        truth=truth,
        equations=(
            Equation(
                "people of the plan = registered",
                len(commune.villagers),
                {"registered": len(set(ledger.swabs.values()))},
            ),
            Equation(
                "tubes registered = results + waiting + rejected",
                len(own),
                {name: places[name] for name in ("results", "waiting", "rejected")},
            ),
            Equation(
                "notices owed = delivered + pending",
                truth.notices_owed,
                {"delivered": truth.notices_delivered, "pending": truth.notices_pending},
            ),
            Equation(
                "infected people = found + explained",
                len(commune.infected),
                {
                    "found": truth.true_positives,
                    "explained": sum(d.why is not None for d in truth.missed),
                },
            ),
        ),
        differences=(
            *(Difference("lost", what) for what in truth.lost),
            *(Difference("doubled", what) for what in truth.duplicated),
            *(Difference(what, d.barcode) for what, d in unexplained),
        ),
        explained=(
            *(Difference(f"missed: {d.why}", d.barcode) for d in truth.missed if d.why),
            *(Difference(f"false: {d.why}", d.barcode) for d in truth.false if d.why),
        ),
        waiting={"somewhere": places["waiting"]} if places["waiting"] else {},
    )


def _tube(reader: Station, label: str) -> dict[str, Any] | None:
    try:
        tube: dict[str, Any] = reader.get(f"/tubes/{label}")
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return None
        raise
    return tube


def _place(tube: dict[str, Any] | None) -> str:
    if tube is None:
        return "lost"
    if tube["state"] == "rejected":
        return "rejected"
    answered = _ANSWERED | ({"preliminary"} if tube["kind"] == "field_pool" else frozenset())
    return "results" if all(swab["sign"] in answered for swab in tube["swabs"]) else "waiting"


def _swabs_gone(
    ledger: Ledger, own: list[str], tubes: dict[str, dict[str, Any] | None]
) -> Iterable[str]:
    """Tubes that hold fewer swabs than were put in."""
    for label in own:
        tube, put_in = tubes[label], len(ledger.contents[label])
        if tube is not None and len(tube["swabs"]) < put_in:
            yield f"tube {label}: {len(tube['swabs'])} of {put_in} swabs"


def _strangers(ledger: Ledger, tubes: dict[str, dict[str, Any] | None]) -> list[str]:
    there = (UUID(s["specimen_id"]) for t in tubes.values() if t is not None for s in t["swabs"])
    return [f"swab {swab} that nobody took" for swab in there if swab not in ledger.swabs]


def _named(
    watch: Station, commune: Commune, cases: Iterable[str]
) -> tuple[dict[str, int], set[str]]:
    """The villager of each case that is one of ours, and the cases that are live."""
    known: dict[tuple[str, int, str], list[Villager]] = defaultdict(list)
    for household in commune.households:
        for one in household.villagers:
            known[one.name, one.birth_year, household.address].append(one)
    named: dict[str, int] = {}
    live: set[str] = set()
    for case in sorted(cases):
        card = watch.get(f"/cases/{case}")
        ours = known.get((card["name"], card["birth_year"], card["address"]), [])
        if ours:
            sick = next((one for one in ours if one.infected), ours[0])
            named[case] = sick.number
            if card["state"] in _LIVE:
                live.add(case)
    return named, live


def _missed(ledger: Ledger, villager: int) -> Explained:
    """Chance's reasons on any tube that held them; by the API no finding can be followed."""
    subjects = _subjects(ledger, villager)
    whys = [d for d in ledger.explanations(subjects) if d.error is not Error.FALSE_POSITIVE]
    return _explained(subjects, whys[0].why if whys else None)


def _false(ledger: Ledger, villager: int) -> Explained:
    subjects = _subjects(ledger, villager)
    whys = [d for d in ledger.explanations(subjects) if d.error is Error.FALSE_POSITIVE]
    return _explained(subjects, whys[0].why if whys else None)


def _explained(subjects: list[str], why: str | None) -> Explained:
    return Explained(subjects[0] if subjects else "", why)


def _subjects(ledger: Ledger, villager: int) -> list[str]:
    tubes = [label for label, inside in ledger.contents.items() if villager in inside]
    return tubes + [str(swab) for swab, whose in ledger.swabs.items() if whose == villager]
