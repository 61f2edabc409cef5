"""From what pages show to what paper shows: both languages side by side, times on the wall clock.

Used by the pages and by the command line, which is why nothing here asks for a request.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from lims.domain.lifecycle import RunState, TubeKind
from lims.web.lab_words import control, phone, sex, word
from lims.web.language import Language, ngettext, speaking
from lims.web.reasons import reason
from lims.web.well_words import what_next
from lims.work.views.plate_view import PlateWell, RunPage
from lims.work.views.reswabs import Road
from lims.work.views.run_record import RunRecord
from reports.pen import Both
from reports.plate_drawing import WellLook, WellOnPaper
from reports.reswab import Again, DoorOnPaper, ReswabSheet
from reports.run_report import Attention, Release, RunReport, Verdict
from reports.slip_words import ASSAYS

_VERDICTS: Final = {
    RunState.VALID: Verdict.VALID,
    RunState.HELD: Verdict.HELD,
    RunState.INVALID: Verdict.INVALID,
}


def both(say: Callable[[], str]) -> Both:
    """What is said in each language, its first letter a capital."""
    said = dict[Language, str]()
    for language in ("vi", "en"):
        with speaking(language):
            text = say()
            said[language] = text[:1].upper() + text[1:]
    return Both(said["vi"], said["en"])


def reswab_on_paper(
    road: Road,
    *,
    laboratory: str,
    issued_at: datetime,
    timezone: str,
    language: Language,
) -> ReswabSheet:
    """The re-swab sheet of this road."""
    zone = ZoneInfo(timezone)
    return ReswabSheet(
        laboratory=laboratory,
        issued_at=issued_at.astimezone(zone),
        language=language,
        doors=tuple(
            DoorOnPaper(
                label=door.label,
                address=door.address,
                area=door.area,
                people=tuple(
                    Again(
                        name=one.name,
                        birth_year=one.birth_year,
                        sex=both(lambda s=one.sex: sex(s)) if one.sex else None,  # type: ignore[misc] # bound now, since the loop goes on
                        phone=phone(one.phone) or None,
                        barcode=one.barcode,
                        why=both(lambda kept=one.why: reason(kept)),  # type: ignore[misc] # the same
                        since=one.since.astimezone(zone),
                    )
                    for one in door.people
                ),
            )
            for door in road.doors
        ),
        left_out=road.left_out,
    )


def run_on_paper(
    run: RunPage,
    record: RunRecord,
    *,
    laboratory: str,
    issued_at: datetime,
    timezone: str,
    language: Language,
) -> RunReport:
    """The report of one run as it stands."""
    zone = ZoneInfo(timezone)
    why = run.verdict_why
    return RunReport(
        laboratory=laboratory,
        plate=run.plate,
        assay=ASSAYS.get(run.assay, run.assay),
        instrument=run.instrument,
        kit=None,
        created_at=run.created_at.astimezone(zone),
        created_by=record.laid_out_by,
        measured_at=run.measured_at.astimezone(zone) if run.measured_at else None,
        judged_at=run.judged_at.astimezone(zone) if run.judged_at else None,
        verdict=_VERDICTS.get(run.state, Verdict.OPEN),
        verdict_why=both(lambda: reason(why)) if why else None,
        wells=tuple(_well(well) for well in run.wells),
        attention=tuple(_attention(well) for well in run.attention),
        releases=tuple(
            Release(
                one.by,
                one.people,
                one.last_at.astimezone(zone),
                one.by_rule,
            )
            for one in record.releases
        ),
        digests=tuple(record.digests),
        issued_at=issued_at.astimezone(zone),
        language=language,
    )


def _well(well: PlateWell) -> WellOnPaper:
    return WellOnPaper(
        position=well.position,
        look=WellLook(well.sign),
        face=control(well.role),
        ct_cycles=well.ct_cycles,
        measured=well.measured,
        failed=well.failed,
        held=well.held,
        called=well.called,
    )


def _attention(well: PlateWell) -> Attention:
    return Attention(
        position=well.position,
        look=WellLook(well.sign),
        barcode=well.barcode or "",
        holds=both(lambda: _holds(well)),
        ct_cycles=well.ct_cycles,
        done=both(lambda: what_next(well)),
        called=well.called,
    )


def _holds(well: PlateWell) -> str:
    kind = word(TubeKind(well.kind)) if well.kind else ""
    if well.people < 2:
        return kind
    return f"{kind} · {ngettext('%(num)s person', '%(num)s people', well.people)}"
