"""Find a tube by what was scanned, and lock it for the verb that follows."""

from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.refusals import Misread, UnknownBarcode
from lims.tables import LabelBatch, Site, Tube


def scanned(session: Session, text: str, *, lock: bool = True) -> Tube:
    """The tube under a scan, locked against others until the transaction ends.

    Raises NotABarcode, PersonCard, UnknownBarcode, WrongCheckCharacter and OnlyDigits
    (with suggestions).
    """
    return scanned_all(session, [text], lock=lock)[0]


def scanned_all(session: Session, texts: Sequence[str], *, lock: bool = True) -> list[Tube]:
    """The tubes under several scans, in scan order; locked in id order, so none deadlock."""
    try:
        wanted = [barcodes.parse(text) for text in texts]
    except Misread as misread:
        raise likeliest(session, misread) from None
    query = select(Tube).where(Tube.barcode.in_(wanted)).order_by(Tube.id)
    rows = session.scalars(query.with_for_update(key_share=True) if lock else query)
    found = {tube.barcode: tube for tube in rows}
    for barcode in wanted:
        if barcode not in found:
            raise UnknownBarcode(came=barcodes.shown(barcode), where="barcode")
    return [found[barcode] for barcode in wanted]


def likeliest(database: Session | Connection, misread: Misread) -> Misread:
    """The refusal with the labels that exist one mistake away named first: tubes, and what was
    printed and is still on the roll (S15)."""
    near = list(barcodes.candidates(barcodes.normalise(misread.came)))
    known = _carried(database, near) | _printed(database, near)
    named = [barcodes.shown(one) for one in near if one in known]
    guessed = [one for one in misread.suggestions if one not in named]
    return type(misread)(
        came=misread.came,
        where=misread.where,
        suggestions=[*named, *guessed][: max(len(named), len(misread.suggestions))],
    )


def _carried(database: Session | Connection, labels: Sequence[str]) -> set[str]:
    return set(database.execute(select(Tube.barcode).where(Tube.barcode.in_(labels))).scalars())


def _printed(database: Session | Connection, labels: Sequence[str]) -> set[str]:
    prints = database.execute(
        select(Site.prefix, LabelBatch.batch, LabelBatch.first_serial, LabelBatch.next_serial)
        .join(Site, Site.id == LabelBatch.site_id)
        .where(LabelBatch.batch.in_({label[2:4] for label in labels}))
    ).all()
    return {
        label
        for label in labels
        for prefix, batch, first, following in prints
        if label[:4] == prefix + batch and first <= barcodes.serial(label) < following
    }
