"""A tracing office that takes webhooks as fast as they come, in a process of its own.

    python -m loadtests.handoff.receiver PORT BOOK

Each notice is a line of the book, written before it is answered for: when (seconds since 1970),
`webhook-id`, about what, and which sequence of it.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import IO, Final

SERVED_AS: Final = ("-m", "loadtests.handoff.receiver")
_ANSWER: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_HEAD_ENDS: Final = b"\r\n\r\n"


class Office(asyncio.Protocol):
    """Just enough of HTTP/1.1 for a client that states its Content-Length."""

    def __init__(self, book: IO[str]) -> None:
        self._book = book
        self._came = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (head_ends := self._came.find(_HEAD_ENDS)) >= 0:
            head = _head(self._came[:head_ends])
            ends = head_ends + len(_HEAD_ENDS) + int(head["content-length"])
            if len(self._came) < ends:
                return
            body, self._came = self._came[head_ends + len(_HEAD_ENDS) : ends], self._came[ends:]
            self._write_down(head["webhook-id"], json.loads(body))
            if self._transport is not None:
                self._transport.write(_ANSWER)

    def _write_down(self, message_id: str, said: dict[str, object]) -> None:
        at, data = time.time(), said["data"]
        if isinstance(data, dict):
            for id_, about, sequence in _notices(message_id, data):
                self._book.write(f"{at:.6f} {id_} {about} {sequence}\n")
            self._book.flush()


def _head(raw: bytes) -> dict[str, str]:
    lines = raw.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _notices(message_id: str, data: dict[str, object]) -> list[tuple[str, object, object]]:
    held = data.get("notices")
    if not isinstance(held, list):
        return [(message_id, data.get("case_id") or data.get("pool_id"), data["sequence"])]
    return [(one["id"], one["data"]["case_id"], one["data"]["sequence"]) for one in held]


async def _serve(port: int, book: Path) -> None:
    with book.open("a", encoding="utf-8") as kept:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Office(kept), "127.0.0.1", port)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
