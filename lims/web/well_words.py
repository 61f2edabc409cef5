"""What a well of a run says: on the plate, to a screen reader, beside what needs a person."""

from typing import Final

from lims.domain import barcodes
from lims.domain.controls import POSITIVE_CONTROL_LATEST_CYCLES
from lims.domain.lifecycle import RunState, TubeKind
from lims.web.lab_words import control, word
from lims.web.language import gettext as _
from lims.web.language import ngettext, num
from lims.web.reasons import reason
from lims.work.views.plate_view import PlateWell, RunPage, WellSign

POSITIVE: Final = "positive_control"
_SEEN: Final = frozenset({WellSign.POSITIVE, WellSign.INCONCLUSIVE})


def well_face(well: PlateWell) -> str:
    """The two or three characters that a well has room for."""
    if well.sign is WellSign.CONTROL:
        return control(well.role)
    if well.sign in _SEEN and well.ct_cycles is not None:
        return f"{well.ct_cycles:.0f}"
    faces = {
        WellSign.NEGATIVE: "−",
        WellSign.INVALID: "?",
        WellSign.POSITIVE: "+",
        WellSign.INCONCLUSIVE: "?",
    }
    return faces.get(well.sign, "")


def well_words(well: PlateWell) -> str:
    """What the sign of the well means, in words."""
    return {
        WellSign.NEGATIVE: _("negative"),
        WellSign.POSITIVE: _("positive"),
        WellSign.INCONCLUSIVE: _("inconclusive"),
        WellSign.INVALID: _("invalid"),
        WellSign.WAITING: _("no result yet"),
        WellSign.CONTROL: control(well.role),
    }[well.sign]


def well_said(well: PlateWell) -> str:
    """The whole well in one line: where, which tube, what came of it."""
    if well.sign is WellSign.CONTROL:
        return f"{well.position} {control(well.role)}: {_control_said(well)}"
    kind = word(TubeKind(well.kind)) if well.kind else ""
    people = ngettext("%(num)s person", "%(num)s people", well.people) if well.people > 1 else ""
    ct = _("Ct %(ct)s", ct=num(well.ct_cycles, 1)) if well.ct_cycles else _called(well)
    said = ", ".join(part for part in (well_words(well), ct, kind, people) if part)
    why = f" ({reason(well.why)})" if well.why and well.sign is not WellSign.NEGATIVE else ""
    return f"{well.position} {barcodes.shown(well.barcode or '')}: {said}{why}"


def well_state(well: PlateWell) -> str | None:
    """What came of a well that needs a person: its Ct, or the machine's word in its place."""
    if well.sign not in _SEEN:
        return _("Held") if well.held else None
    if well.ct_cycles:
        shown = num(well.ct_cycles, 0)
        if well.sign is WellSign.POSITIVE:
            return _("Positive · Ct %(ct)s", ct=shown)
        return _("Weak · Ct %(ct)s", ct=shown)
    if well.called is None:
        return _("Held") if well.held else None
    if well.sign is WellSign.POSITIVE:
        return _("Positive · %(call)s", call=well.called)
    return _("Inconclusive · %(call)s", call=well.called)


def _called(well: PlateWell) -> str:
    """The machine's own word, where it is all there is."""
    return (well.called or "") if well.sign in _SEEN else ""


def _control_said(well: PlateWell) -> str:
    if not well.measured:
        return _("not measured yet")
    if well.ct_cycles is None:
        if well.called:
            return _("the machine says %(call)s", call=well.called)
        return _("no amplification")
    limit = num(POSITIVE_CONTROL_LATEST_CYCLES, 0)
    if well.role == POSITIVE:
        return _("Ct %(ct)s, at most %(limit)s", ct=num(well.ct_cycles, 1), limit=limit)
    return _("amplified: Ct %(ct)s", ct=num(well.ct_cycles, 1))


def control_verdicts(run: RunPage) -> list[tuple[bool, str]]:
    """Each control of a measured run in words with its value and its limit; True where it is good.

    Controls of one kind that say the same share a line: "NTC O23, P23: no amplification".
    """
    lines: dict[tuple[bool, str, str], list[str]] = {}
    for well in run.controls:
        good = not well.failed and well.measured
        lines.setdefault((good, control(well.role), _control_said(well)), []).append(well.position)
    return [
        (good, f"{name} {', '.join(positions)}: {said}")
        for (good, name, said), positions in lines.items()
    ]


def counted(run: RunPage) -> str:
    """ "88 negative · 4 positive · 1 invalid": only kinds that there are, after the first two."""
    signs = (
        (WellSign.NEGATIVE, _("%(n)s negative", n=num(run.count(WellSign.NEGATIVE)))),
        (WellSign.POSITIVE, _("%(n)s positive", n=num(run.count(WellSign.POSITIVE)))),
        (WellSign.INVALID, _("%(n)s invalid", n=num(run.count(WellSign.INVALID)))),
        (WellSign.INCONCLUSIVE, _("%(n)s weak", n=num(run.count(WellSign.INCONCLUSIVE)))),
        (WellSign.WAITING, _("%(n)s wait", n=num(run.count(WellSign.WAITING)))),
    )
    always = set() if run.state is RunState.PLANNED else {WellSign.NEGATIVE, WellSign.POSITIVE}
    return " · ".join(said for sign, said in signs if sign in always or run.count(sign))


def what_next(well: PlateWell) -> str:  # noqa: PLR0911 - one sentence for each way a well can end
    """What the laboratory did about this well, or whom it waits for."""
    if well.held and well.sign is WellSign.WAITING:
        return _("held until the rest of the plate comes")
    if well.held:
        return _("held: a reviewer decides")
    if well.sign is WellSign.INVALID:
        return _("run again on a fresh extraction") if well.queued else reason(well.why)
    if well.sign is WellSign.INCONCLUSIVE:
        return _("repeated") if well.queued else _("a reviewer decides")
    if well.kind == "lab_pool":
        return ngettext(
            "%(num)s tube goes to the front of the queue",
            "%(num)s tubes go to the front of the queue",
            well.tubes,
        )
    if well.kind == "field_pool":
        return ngettext(
            "pooled at the desk: %(num)s person is swabbed again",
            "pooled at the desk: %(num)s people are swabbed again",
            well.to_swab or well.people,
        )
    if well.finding_status in ("F", "C"):
        return _("F0, final")
    return _("F0 told to tracing; the final word waits for a reviewer")
