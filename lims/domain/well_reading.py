"""One well or cartridge to one word, by its cycle numbers and by what the machine itself says.

Numbers are read under the kit's limits (interpretation.py). The machine's word is heard in three
ways, and in no other: a closed system's word stands where it sent no number; any machine's word
that contradicts a number, or that disagrees with its own other words, makes the well inconclusive,
for a reviewer to see both; *invalid* is invalid. So "not detected" needs either an internal control
that amplified or a closed system that says it in so many words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from lims.domain.called import NO_CALL, Called, OwnCall, quoted
from lims.domain.interpretation import (
    AssayRule,
    Interpretation,
    TargetReading,
    amplified,
    interpret_cts,
    listed,
    lowest_ct,
    target_named,
)
from lims.domain.outcomes import Outcome

OWN: Final = "the machine's own call"
_SEEN: Final = frozenset({Outcome.DETECTED, Outcome.INCONCLUSIVE})
_SAYS_SEEN: Final = frozenset({Called.DETECTED, Called.INCONCLUSIVE})


class _Sign(Enum):
    """What one target says, its number and its word taken together."""

    DETECTED = auto()
    CALLED_DETECTED = auto()
    CONTRADICTED = auto()
    CALLED_DOUBTFUL = auto()
    WEAK = auto()
    CALLED_INVALID = auto()
    CALLED_ABSENT = auto()
    SILENT = auto()


# What a target's word says beside a number that is late, or none.
_SAID: Final[Mapping[Called | None, _Sign]] = MappingProxyType(
    {
        Called.DETECTED: _Sign.CONTRADICTED,
        Called.INCONCLUSIVE: _Sign.CALLED_DOUBTFUL,
        Called.INVALID: _Sign.CALLED_INVALID,
        Called.NOT_DETECTED: _Sign.CALLED_ABSENT,
    }
)


def interpret(
    rule: AssayRule,
    readings: Sequence[TargetReading],
    *,
    error: str | None = None,
    own: OwnCall = NO_CALL,
) -> Interpretation:
    """Read one well. An instrument error is *invalid* whatever else was said.

    ``own``: the machine's word for the whole test, heard by rules that read calls.
    """
    if error or not rule.reads_calls:
        return interpret_cts(rule, readings, error=error)
    return _Well(rule, tuple(readings), own).read()


def word_without_ct(
    rule: AssayRule,
    readings: Sequence[TargetReading],
    own: OwnCall = NO_CALL,
    *,
    outcome: str | None = None,
) -> str | None:
    """What to show where a Ct would stand and none came: the machine's word, as it was sent.

    Nothing beside an ``outcome`` that only a reviewer gave: "NEG" is no word for a positive.
    """
    if lowest_ct(rule, readings) is not None:
        return None
    meanings = [one for one in Called if outcome not in _SEEN or one in _SAYS_SEEN]
    for meaning in meanings:
        words = dict.fromkeys(
            r.call for r in readings if r.call and _asked(rule, r) and r.called is meaning
        )
        if words:
            return ", ".join(words)
    return own.word if own.called in meanings else None


def called_detected(rule: AssayRule, readings: Sequence[TargetReading], own: OwnCall) -> str | None:
    """The words of a closed system that say that a target was there; None where it does not."""
    if not (rule.reads_calls and own.closed):
        return None
    found = [r for r in readings if _asked(rule, r) and r.called is Called.DETECTED]
    if found:
        return _words(found)
    return own.word if own.called is Called.DETECTED else None


def called_absent(readings: Sequence[TargetReading], own: OwnCall) -> bool:
    """Whether a closed system says of an analyte, whatever it is, that it was not there or could
    not be told, and no target of it says otherwise. No rule is asked."""
    silent = not any(r.called in _SAYS_SEEN for r in readings)
    return own.closed and silent and own.called in {Called.NOT_DETECTED, Called.INVALID}


def called_failed(rule: AssayRule, readings: Sequence[TargetReading], own: OwnCall) -> str | None:
    """The machine's word, where it says that this well is not to be read."""
    if not rule.reads_calls:
        return None
    if own.called is Called.INVALID:
        return own.word
    failed = [r for r in readings if _asked(rule, r) and r.called is Called.INVALID]
    return _words(failed) if failed else None


def _asked(rule: AssayRule, reading: TargetReading) -> bool:
    return target_named(reading.target) in rule.targets


def _words(readings: Iterable[TargetReading]) -> str:
    return quoted((target_named(r.target), r.call) for r in readings)


@dataclass(frozen=True)
class _Well:
    rule: AssayRule
    readings: tuple[TargetReading, ...]
    own: OwnCall

    def read(self) -> Interpretation:
        """The first of these that has something to say."""
        if self.own.called is Called.INVALID:
            return self._say(Outcome.INVALID, f"{OWN}: {self.own.word}")
        signs: dict[_Sign, list[TargetReading]] = {}
        for reading in self.readings:
            if _asked(self.rule, reading):
                signs.setdefault(self._sign(reading), []).append(reading)
        return self._found(signs) or self._doubtful(signs) or self._absent(signs)

    def _sign(self, reading: TargetReading) -> _Sign:
        ct, said = reading.ct_cycles, self._heard(reading.called)
        if ct is not None and ct <= self.rule.ct_limit:
            agrees = said in {None, Called.DETECTED}
            return _Sign.DETECTED if agrees else _Sign.CONTRADICTED
        if ct is not None and ct <= self.rule.weak_limit:
            return _Sign.WEAK
        if said is Called.DETECTED and self.own.closed and ct is None:
            return _Sign.CALLED_DETECTED
        return _SAID.get(said, _Sign.SILENT)

    def _heard(self, said: Called | None) -> Called | None:
        """An open cycler's "inconclusive" is about its curve's quality: the kit's limits decide."""
        return None if said is Called.INCONCLUSIVE and not self.own.closed else said

    def _found(self, signs: dict[_Sign, list[TargetReading]]) -> Interpretation | None:
        """One target is enough, unless the machine's word for the whole test is another."""
        by_ct = signs.get(_Sign.DETECTED, [])
        by_word = signs.get(_Sign.CALLED_DETECTED, [])
        if not by_ct and not by_word:
            return None
        whole = self._heard(self.own.called)
        against = whole in {Called.NOT_DETECTED, Called.INCONCLUSIVE}
        outcome = Outcome.INCONCLUSIVE if against else Outcome.DETECTED
        if by_ct:
            numbers = f"{self._listed(by_ct)} ≤ {self.rule.ct_limit:g} cycles"
            said = f"{numbers}, but {OWN}: {self.own.word}" if against else numbers
            return self._say(outcome, said, by_ct)
        said = self._disagree(by_word) if against else f"{OWN}: {_words(by_word)}"
        return self._say(outcome, said)

    def _doubtful(self, signs: dict[_Sign, list[TargetReading]]) -> Interpretation | None:
        """What no machine and no limit may settle: both are shown to a reviewer."""
        if against := signs.get(_Sign.CONTRADICTED):
            said = f"{self._numbers(against)}, but {OWN}: {_words(against)}"
            return self._say(Outcome.INCONCLUSIVE, said, against)
        if weak := signs.get(_Sign.WEAK):
            limits = f"{self.rule.ct_limit:g} and {self.rule.weak_limit:g} cycles"
            said = f"{self._listed(weak)} between {limits}"
            return self._say(Outcome.INCONCLUSIVE, said, weak)
        if doubtful := signs.get(_Sign.CALLED_DOUBTFUL):
            return self._say(Outcome.INCONCLUSIVE, f"{OWN}: {_words(doubtful)}", doubtful)
        return self._whole_alone(signs)

    def _whole_alone(self, signs: dict[_Sign, list[TargetReading]]) -> Interpretation | None:
        """The word for the whole test, where no target says that anything was there."""
        asked = [r for each in signs.values() for r in each]
        silent = all(r.ct_cycles is None and r.called is None for r in asked)
        match self._heard(self.own.called):
            case Called.DETECTED if silent and self.own.closed:
                return self._say(Outcome.DETECTED, f"{OWN}: {self.own.word}")
            case Called.DETECTED if silent or lowest_ct(self.rule, asked) is not None:
                said = f"{self._numbers(asked)}, but {OWN}: {self.own.word}"
                return self._say(Outcome.INCONCLUSIVE, said, asked)
            case Called.DETECTED:
                return self._say(Outcome.INCONCLUSIVE, self._disagree(asked))
            case Called.INCONCLUSIVE:
                return self._say(Outcome.INCONCLUSIVE, f"{OWN}: {self.own.word}")
        return None

    def _absent(self, signs: dict[_Sign, list[TargetReading]]) -> Interpretation:
        """Nothing was there, if something vouches for the well."""
        if failed := signs.get(_Sign.CALLED_INVALID):
            return self._say(Outcome.INVALID, f"{OWN}: {_words(failed)}")
        controls = [
            r for r in self.readings if target_named(r.target) == self.rule.internal_control
        ]
        lost = [r for r in controls if r.called in {Called.INVALID, Called.NOT_DETECTED}]
        if lost:
            said = f"no target, internal control called {_words(lost)}"
            return self._say(Outcome.INVALID, said)
        control = amplified(self.readings, self.rule.internal_control)
        if control is not None and control <= self.rule.control_limit:
            return interpret_cts(self.rule, self.readings)
        asked = [r for each in signs.values() for r in each]
        if unknown := self._unknown(asked):
            return self._say(Outcome.INVALID, f"{OWN} is not known: {unknown}")
        if words := self._says_absent(signs):
            return self._say(Outcome.NOT_DETECTED, f"{OWN}: {words}", asked)
        return interpret_cts(self.rule, self.readings)

    def _says_absent(self, signs: dict[_Sign, list[TargetReading]]) -> str | None:
        """The words of a closed system that say so of every target, or of the whole test."""
        if not self.own.closed:
            return None
        if set(signs) == {_Sign.CALLED_ABSENT}:
            return _words(signs[_Sign.CALLED_ABSENT])
        return self.own.word if self.own.called is Called.NOT_DETECTED else None

    def _unknown(self, asked: Sequence[TargetReading]) -> str | None:
        """The words of a closed system, in place of numbers, that no table has."""
        if not self.own.closed:
            return None
        unknown = [r for r in asked if r.call and r.called is None and r.ct_cycles is None]
        if unknown:
            return _words(unknown)
        silent = all(r.called is None for r in asked)
        return self.own.word if silent and self.own.unknown else None

    def _numbers(self, readings: Sequence[TargetReading]) -> str:
        """The numbers on one side of a contradiction."""
        early = self._listed([r for r in readings if (r.ct_cycles or 99) <= self.rule.ct_limit])
        if early:
            return f"{early} ≤ {self.rule.ct_limit:g} cycles"
        late = self._listed(readings)
        return f"{late} > {self.rule.weak_limit:g} cycles" if late else "no cycle number"

    def _listed(self, readings: Sequence[TargetReading]) -> str:
        names = {target_named(r.target) for r in readings}
        return listed({name: ct for name in names if (ct := amplified(readings, name))})

    def _disagree(self, readings: Sequence[TargetReading]) -> str:
        return f"the machine's own calls disagree: {_words(readings)}, whole test {self.own.word}"

    def _say(
        self, outcome: Outcome, why: str, shown: Sequence[TargetReading] = ()
    ) -> Interpretation:
        return Interpretation(outcome, lowest_ct(self.rule, shown), self.rule.name, why)
