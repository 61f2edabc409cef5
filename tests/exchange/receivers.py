"""A hospital's system: a real MLLP receiver that accepts, refuses, dawdles and falls silent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from instruments.hl7.message import Message, read
from instruments.hl7.mllp import framed

Answers = Callable[[int, Message], bytes | None]


def ack(
    message: Message, code: str = "AA", *, reason: str = "", said: str = "", about: str = ""
) -> bytes:
    """The acknowledgement of a message, written by hand as a receiver of another maker would."""
    segments = [
        "MSH|^~\\&|HIS|BV||THANTOC|20210911010000||ACK^R01^ACK|A1|P|2.5.1",
        f"MSA|{code}|{about or message.control_id}",
    ]
    if reason:
        segments.append(f"ERR|||{reason}|E||||{said}")
    return framed("".join(f"{one}\r" for one in segments).encode())


def accept(_number: int, message: Message) -> bytes:
    return ack(message)


@dataclass
class Receiver:
    """``messages`` in the order of arrival, repeats too; ``port`` is where it listens."""

    port: int
    answers: Answers
    blocks: list[bytes] = field(default_factory=list)
    lines: int = 0

    @property
    def messages(self) -> list[Message]:
        return [read(block) for block in self.blocks]

    @property
    def ids(self) -> list[str]:
        return [message.control_id for message in self.messages]


@contextmanager
def receiver(
    answers: Answers = accept, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Receiver]:
    """`answers` is asked once for each message; None says nothing and closes the line."""
    listening = socket.create_server(("127.0.0.1", port))
    listening.settimeout(0.05)
    made = Receiver(listening.getsockname()[1], answers)
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def serve() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                line, _ = listening.accept()
                made.lines += 1
                thread = threading.Thread(target=talk, args=(line,))
                thread.start()
                threads.append(thread)

    def talk(line: socket.socket) -> None:
        with suppress(OSError), tls.wrap_socket(line, server_side=True) if tls else line as ours:
            ours.settimeout(0.05)
            heard = b""
            while not stop.is_set():
                try:
                    data = ours.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    return
                heard += data
                while b"\x1c\r" in heard:
                    block, _, heard = heard.partition(b"\x1c\r")
                    block = block.lstrip(b"\x0b")
                    made.blocks.append(block)
                    said = made.answers(len(made.blocks), read(block))
                    if said is None:
                        return
                    ours.sendall(said)

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield made
    finally:
        stop.set()
        serving.join()
        for thread in threads:
            thread.join()
        listening.close()
