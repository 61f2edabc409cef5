"""A PDF that leaves page by page: ten thousand pages need no more memory than one.

reportlab keeps every page until the end. Nothing in the format asks for that: objects may stand in
any order, and only the cross-reference table, which comes last, must know where (ISO 32000-1,
7.5.4). So each page is written when it is finished; fonts, whose subsets grow until the last page,
and the list of pages follow at the end.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas


class PouredCanvas(Canvas):
    """A canvas without a clock, whose finished pages are taken with `poured` and `rest`."""

    def __init__(self, *, page_size: tuple[float, float], title: str, author: str) -> None:
        super().__init__(
            BytesIO(), pagesize=page_size, invariant=1, lang="vi-VN", pageCompression=1
        )
        self._doc: Any
        self.setTitle(title)
        self.setAuthor(author)
        self.setCreator("Thần Tốc")
        self.setViewerPreference("DisplayDocTitle", "true")
        self._file = pdfdoc.PDFFile(self._doc._pdfVersion)
        self._head = self._file.format(self._doc)
        self._offset = len(self._head)
        self._gone: set[str] = set()

    def poured(self) -> bytes:
        """What `showPage` finished since the last time, ready to send."""
        document, parts = self._doc, [self._head]
        self._head = b""
        pages: list[Any] = document.Pages.pages
        for place in range(len(pages) - 1, -1, -1):
            page = pages[place]
            if isinstance(page, pdfdoc.PDFObjectReference):
                break
            page.Contents = _packed(page.stream)
            parts.append(self._placed(page.__InternalName__))
            parts.append(self._placed(page.Contents.__InternalName__))
            pages[place] = pdfdoc.PDFObjectReference(page.__InternalName__)
        return b"".join(parts)

    def rest(self) -> bytes:
        """The last pages, the fonts, the list of pages and the table of where all of it stands."""
        document, parts = self._doc, [self.poured()]
        for font in document.delayedFonts:
            font.addObjects(document)
        document.info.invariant = document.invariant
        document.info.digest(document.signature)
        root, info = document.Reference(document.Catalog), document.Reference(document.info)
        document.Outlines.prepare(document, self)
        if document.Outlines.ready < 0:
            document.Catalog.Outlines = None
        number = 0
        while (number := number + 1) in document.numberToId:  # formatting may register more
            if document.numberToId[number] not in self._gone:
                parts.append(self._placed(document.numberToId[number]))
        table = pdfdoc.PDFCrossReferenceTable()
        table.addsection(0, [document.numberToId[each] for each in range(1, number)])
        parts.append(table.format(document))
        trailer = pdfdoc.PDFTrailer(
            startxref=self._offset, Size=number, Root=root, Info=info, ID=document.ID()
        )
        return b"".join([*parts, trailer.format(document)])

    def _placed(self, name: str) -> bytes:
        """The object as it stands in the file; its content is forgotten, its place is kept."""
        document = self._doc
        whole: bytes = pdfdoc.PDFIndirectObject(name, document.idToObject[name]).format(document)
        document.idToOffset[name] = self._offset
        self._offset += len(whole)
        self._gone.add(name)
        document.idToObject[name] = None
        return whole


def _packed(code: str) -> pdfdoc.PDFStream:
    """Deflated and left binary: base 85 on top would cost time and a quarter more room."""
    stream = pdfdoc.PDFStream()
    stream.filters = [pdfdoc.PDFZCompress]
    stream.content = code
    return stream
