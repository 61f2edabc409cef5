"""Which kit lot this desk is using: chosen by scanning its box, kept until another is scanned."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lims.domain.gs1 import parse_kit
from lims.domain.rapid_test import refuse_expired
from lims.web.access import current
from lims.web.language import gettext as _
from lims.web.language import laboratory, local, now
from lims.web.rapid.blueprint import ROOT
from lims.web.transaction import in_transaction
from lims.work.kits import LotKnown, lot_of_box
from lims.work.views.kit_lots import usable_lots

_KEPT = "kit_lot_id"


def choose_box(text: str) -> Response | None:
    """Use the lot of this box from now on; a kit that nobody has named is asked for first.

    Raises NotAKitCode, KitDiffers, KitExpired.
    """
    lot = use_box(text)
    if lot is None:
        return redirect(url_for("rapid.kits", box=text, back=_page_of_scan()), 303)
    say_in_use(lot)
    return None


def say_in_use(lot: LotKnown) -> None:
    """What scanning the box has done, at the head of the next page."""
    flash(_("Lot %(lot)s of %(kit)s is used at this desk now.", lot=lot.lot, kit=lot.kit), "good")


def use_box(text: str) -> LotKnown | None:
    """The lot of this box, in use at this desk from now on; None when nobody has named its kit.

    Raises NotAKitCode, KitDiffers, KitExpired.
    """
    lab, today = laboratory(), local(now()).date()
    box = parse_kit(text, today=today)
    refuse_expired(box.lot, box.expires_on, today)
    lot = in_transaction(
        lambda session: lot_of_box(session, box, site_id=lab.site_id, by=current().actor, now=now())
    )
    if lot is None or not lot.named:
        return None
    keep_lot(lot.lot_id)
    return lot


def keep_lot(lot_id: UUID) -> None:
    """Remember it for the next test at this browser."""
    cookie[_KEPT] = str(lot_id)


def lots_here(session: Session) -> Sequence[LotKnown]:
    """What may be used today, the newest first."""
    lab = laboratory()
    return usable_lots(session, site_id=lab.site_id, today=local(now()).date())


def chosen_lot(lots: Sequence[LotKnown]) -> LotKnown | None:
    """The lot this desk uses: the one it scanned last, or the only one there is."""
    kept = str(cookie.get(_KEPT, ""))
    for lot in lots:
        if str(lot.lot_id) == kept:
            return lot
    return lots[0] if len(lots) == 1 else None


def _page_of_scan() -> str:
    path = request.path.removesuffix("/scan")
    return path if path.startswith(ROOT) else ROOT
