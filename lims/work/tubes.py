"""Find a tube by what was scanned, and lock it for the verb that follows."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.refusals import UnknownBarcode
from lims.tables import Tube


def scanned(session: Session, text: str, *, lock: bool = True) -> Tube:
    """The tube under a scan, locked against others until the transaction ends.

    Raises NotABarcode, WrongCheckCharacter (with suggestions), UnknownBarcode.
    """
    return scanned_all(session, [text], lock=lock)[0]


def scanned_all(session: Session, texts: Sequence[str], *, lock: bool = True) -> list[Tube]:
    """The tubes under several scans, in scan order; locked in id order, so none deadlock."""
    wanted = [barcodes.parse(text) for text in texts]
    query = select(Tube).where(Tube.barcode.in_(wanted)).order_by(Tube.id)
    rows = session.scalars(query.with_for_update(key_share=True) if lock else query)
    found = {tube.barcode: tube for tube in rows}
    for barcode in wanted:
        if barcode not in found:
            raise UnknownBarcode(came=barcodes.shown(barcode), where="barcode")
    return [found[barcode] for barcode in wanted]


def locked(session: Session, tube_ids: Sequence[UUID]) -> list[Tube]:
    """Tubes by id, locked in id order."""
    query = select(Tube).where(Tube.id.in_(tube_ids)).order_by(Tube.id).with_for_update(key_share=True)
    return list(session.scalars(query))
