"""What a well of a run says beside what needs a person."""

from lims.web.language import gettext as _
from lims.web.language import ngettext
from lims.web.reasons import reason
from lims.work.views.plate_view import PlateWell, WellSign


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
