"""From a well's Ct values and calls to one word, under a rule that is never edited.

No national Ct cut-off exists in Vietnam; it comes from the kit insert, per
target, plus an internal control: no target and no internal control is
*invalid*, not negative (domain.md, "Testing"). A new insert is a new version
of the rule; each result stores the name of the version that read it. A rule
that also reads the machine's own words does so in ``well_reading.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from lims.domain.called import Called
from lims.domain.outcomes import Outcome
from lims.domain.refusals import NotFound

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "ORF1AB": "ORF1ab",
        "ORF1": "ORF1ab",
        "RDRP": "RdRP",
        "N": "N",
        "N1": "N",
        "N2": "N",
        "E": "E",
        "S": "S",
        "SARSCOV2": "SARS-CoV-2",
        "SARS2": "SARS-CoV-2",
        "COV2": "SARS-CoV-2",
        "IC": "IC",
        "SPC": "IC",
        "RP": "IC",
        "RNASEP": "IC",
    }
)


@dataclass(frozen=True)
class TargetReading:
    """One target of one well. ``ct_cycles`` None: nothing amplified, or no cycle number is sent.

    ``call``: the machine's word as sent; ``called``: what it means, None where no table knows it.
    """

    target: str
    ct_cycles: float | None
    call: str | None = None
    called: Called | None = None


@dataclass(frozen=True)
class Interpretation:
    """The word, the lowest Ct that says so, and the sentence for the reviewer."""

    outcome: Outcome
    ct_cycles: float | None
    rule: str
    why: str


@dataclass(frozen=True)
class AssayRule:
    """One version of one kit's reading rule. Limits in cycles, inclusive.

    A target at or under ``ct_limit`` is detected; between that and
    ``weak_limit`` it is inconclusive. With a detected target the internal
    control may be missing (competition); without one it must amplify.
    ``reads_calls``: what the machine itself says is read beside its numbers.
    """

    assay: str
    version: int
    names: frozenset[str]
    targets: frozenset[str]
    internal_control: str
    ct_limit: float
    weak_limit: float
    control_limit: float
    source: str
    reads_calls: bool = False

    @property
    def name(self) -> str:
        """What a result stores: ``assay/version``."""
        return f"{self.assay}/{self.version}"


_BY_CT = AssayRule(
    assay="sars-cov-2",
    version=1,
    names=frozenset({"SARS-COV-2", "SARS2", "SARSCOV2", "COV2"}),
    targets=frozenset({"ORF1ab", "RdRP", "N", "E", "S", "SARS-CoV-2"}),
    internal_control="IC",
    ct_limit=38.0,
    weak_limit=40.0,
    control_limit=35.0,
    source="usual insert of the two-target kits listed by the Ministry of Health in 2021; "
    "a laboratory adds its own kit's version",
)

RULES: tuple[AssayRule, ...] = (
    _BY_CT,
    replace(
        _BY_CT,
        version=2,
        reads_calls=True,
        source=f"{_BY_CT.source}. The limits of version 1; and the word of a closed system "
        "(called.py), which validates its own controls, where it sends no cycle number",
    ),
)


def rule_in_force(assay: str) -> AssayRule:
    """The newest version for this assay code. Raises NotFound for an assay we cannot read."""
    versions = [rule for rule in RULES if rule.assay == assay]
    if not versions:
        raise NotFound(
            expected="an assay with a reading rule: " + ", ".join(sorted({r.assay for r in RULES})),
            came=assay,
            where="assay",
            todo="choose an assay from the list, or add the rule of its kit insert",
        )
    return max(versions, key=lambda rule: rule.version)


def assay_named(text: str) -> str | None:
    """Our assay code for the words an analyser uses, or None when no rule knows them.

    A cartridge says ``panel^assay``; the panel alone would also name the
    influenza beside it, so only the last component counts.
    """
    words = text.strip().upper().rpartition("^")[2]
    for rule in RULES:
        if words == rule.assay.upper() or words in rule.names:
            return rule.assay
    return None


def target_named(text: str) -> str:
    """The field's standard name of a target; an unknown one keeps its own."""
    return SYNONYMS.get(text.strip().upper().replace("-", "").replace(" ", ""), text.strip())


def amplified(readings: Sequence[TargetReading], target: str) -> float | None:
    """The Ct of this target, or None."""
    cts = [r.ct_cycles for r in readings if target_named(r.target) == target and r.ct_cycles]
    return min(cts) if cts else None


def lowest_ct(rule: AssayRule, readings: Sequence[TargetReading]) -> float | None:
    """The earliest Ct of any target that the rule asks for; the internal control is not one."""
    return min((ct for target in rule.targets if (ct := amplified(readings, target))), default=None)


def listed(cts: Mapping[str, float]) -> str:
    """Targets with their Ct, for a sentence: ``N 23.7, ORF1ab 25.2``."""
    return ", ".join(f"{target} {ct:.1f}" for target, ct in sorted(cts.items()))


def interpret_cts(
    rule: AssayRule, readings: Sequence[TargetReading], *, error: str | None = None
) -> Interpretation:
    """Read one well by its cycle numbers. An instrument error is *invalid* whatever they say."""
    if error:
        return Interpretation(Outcome.INVALID, None, rule.name, f"instrument error: {error}")
    cts = {target: ct for target in sorted(rule.targets) if (ct := amplified(readings, target))}
    detected = {target: ct for target, ct in cts.items() if ct <= rule.ct_limit}
    if detected:
        return Interpretation(
            Outcome.DETECTED,
            min(detected.values()),
            rule.name,
            f"{listed(detected)} ≤ {rule.ct_limit:g} cycles",
        )
    weak = {target: ct for target, ct in cts.items() if ct <= rule.weak_limit}
    if weak:
        return Interpretation(
            Outcome.INCONCLUSIVE,
            min(weak.values()),
            rule.name,
            f"{listed(weak)} between {rule.ct_limit:g} and {rule.weak_limit:g} cycles",
        )
    control = amplified(readings, rule.internal_control)
    if control is None or control > rule.control_limit:
        said = "missing" if control is None else f"{control:.1f} > {rule.control_limit:g} cycles"
        return Interpretation(
            Outcome.INVALID, None, rule.name, f"no target, internal control {said}"
        )
    late = min(cts.values(), default=None)
    said = "no target" if late is None else f"only {late:.1f} > {rule.weak_limit:g} cycles"
    return Interpretation(
        Outcome.NOT_DETECTED, late, rule.name, f"{said}, internal control {control:.1f} cycles"
    )
