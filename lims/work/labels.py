"""Print tube labels: mint serials that no sheet of this site has carried before."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.barcodes import MINTED, SERIALS, minted_from
from lims.domain.refusals import DifferentBody, NotFound, TooLarge
from lims.tables import LabelBatch, Site
from lims.work.access import Fault, refuse
from lims.work.audit import record

MOST_LABELS: Final = 2_000  # what becomes a PDF in about a second


class TooManyLabels(TooLarge):
    slug = "too-many-labels"
    expected = "at most 2,000 labels in one PDF, copies included"
    todo = "print fewer copies of each, then the same sheet again"


@dataclass(frozen=True, slots=True)
class Labels:
    """One print: its title line and its barcodes, the same however often it is asked for."""

    batch_id: UUID
    title: str
    barcodes: tuple[str, ...]
    printed_at: datetime
    replayed: bool


def print_labels(
    session: Session,
    *,
    site_id: UUID,
    batch_id: UUID,
    count: int,
    title: str,
    by: str,
    now: datetime,
) -> Labels:
    """Reserve serials for a print. The same ``batch_id`` again gives the same labels.

    The site's row is locked, so two people printing at once get different serials. Raises
    InvalidBody, DifferentBody.
    """
    title = " ".join(title.split())
    earlier = session.get(LabelBatch, batch_id)
    if earlier is not None:
        if (earlier.labels, earlier.title) != (count, title):
            raise DifferentBody(came=f"another print under {batch_id}", where="batch_id")
        return labels_of(session, batch_id)
    faults = dict[str, Fault]()
    if not 1 <= count <= MOST_LABELS:
        faults["count"] = Fault.LABELS
    if not 1 <= len(title) <= 200:
        faults["title"] = Fault.NAME
    refuse(faults, where="labels")
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
    batch, first = _next_serial(session, site_id, count)
    prefix = session.get_one(Site, site_id).prefix
    taken = list(islice(minted_from(prefix, batch, first), count))
    session.add(
        LabelBatch(
            id=batch_id,
            site_id=site_id,
            batch=batch,
            first_serial=first,
            next_serial=taken[-1][0] + 1,
            labels=count,
            title=title,
            printed_by=by,
            printed_at=now,
        )
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="print_labels",
        subject=str(batch_id),
        now=now,
        first=taken[0][1],
        last=taken[-1][1],
    )
    session.flush()
    return Labels(batch_id, title, tuple(code for _, code in taken), now, replayed=False)


def labels_of(session: Session, batch_id: UUID) -> Labels:
    """The labels of an earlier print, to download it again. Raises NotFound."""
    kept = session.get(LabelBatch, batch_id)
    if kept is None:
        raise NotFound(came=str(batch_id), where="labels")
    prefix = session.get_one(Site, kept.site_id).prefix
    taken = islice(minted_from(prefix, kept.batch, kept.first_serial), kept.labels)
    codes = tuple(code for _, code in taken)
    return Labels(batch_id, kept.title, codes, kept.printed_at, replayed=True)


def _next_serial(session: Session, site_id: UUID, count: int) -> tuple[str, int]:
    """Where the last print ended; the next pair of batch characters when a batch runs out."""
    last = session.execute(
        select(LabelBatch.batch, LabelBatch.next_serial)
        .where(LabelBatch.site_id == site_id)
        .order_by(LabelBatch.batch.collate("C").desc(), LabelBatch.next_serial.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return MINTED[0] * 2, 0
    if last.next_serial + 2 * count < SERIALS:  # one serial in eighteen is passed over
        return last.batch, last.next_serial
    place = MINTED.index(last.batch[0]) * len(MINTED) + MINTED.index(last.batch[1]) + 1
    return MINTED[place // len(MINTED)] + MINTED[place % len(MINTED)], 0
