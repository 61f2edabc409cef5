"""The tables of LIS1-A as they are printed above the machines: every state with every event.

A cell is what is said and the state after it: `ACK waiting`; `-` is nothing said.
"""

import pytest

from instruments.astm import sender as sending
from instruments.astm.frames import Action, Control, Keep, Receiver, Reply, State, framed
from instruments.astm.line import Line, Turn
from instruments.astm.sender import Send, Sender

NAMES = {bytes([control]): control.name for control in Control}
BYTES = {name: byte for byte, name in NAMES.items()} | {
    "LF": b"\n",
    "NUL": b"\0",
    "DLE": b"\x10",
    "F": b"F",
    "z": b"z",
    "\\xff": b"\xff",
}
FRAME = framed(1, b"ab", last=True)
assert FRAME == b"\x021ab\x03F7\r\n", "the table's F is a right first digit and 7 the second"

RECEIVER = """
    event        neutral      waiting      text         check 1      check 2      trailer
    STX          - neutral    - text       - text       NAK waiting  NAK waiting  NAK waiting
    ETX          - neutral    - waiting    - check 1    NAK waiting  NAK waiting  NAK waiting
    ETB          - neutral    - waiting    - check 1    NAK waiting  NAK waiting  NAK waiting
    EOT          - neutral    - neutral    - text       NAK waiting  NAK waiting  NAK waiting
    ENQ          ACK waiting  ACK waiting  - text       NAK waiting  NAK waiting  NAK waiting
    ACK          - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    NAK          - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    CR           - neutral    - waiting    - text       NAK waiting  NAK waiting  ACK waiting
    LF           - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    NUL          - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    DLE          - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    F            - neutral    - waiting    - text       - check 2    - trailer    NAK waiting
    z            - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    \\xff         - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    pause ENQ    ACK waiting  ACK waiting  ACK waiting  ACK waiting  ACK waiting  ACK waiting
    pause STX    - neutral    - text       - text       - text       - text       - text
    pause EOT    - neutral    - neutral    - neutral    - neutral    - neutral    - neutral
    pause CR     - neutral    - waiting    - text       NAK waiting  NAK waiting  ACK waiting
    pause F      - neutral    - waiting    - text       - check 2    - trailer    NAK waiting
    30 s         - neutral    - neutral    - neutral    - neutral    - neutral    - neutral
    full: ENQ    NAK neutral  NAK neutral  - text       NAK waiting  NAK waiting  NAK waiting
    full: CR     - neutral    - waiting    - text       NAK waiting  NAK waiting  NAK waiting
    turn: CR     - neutral    - waiting    - text       NAK waiting  NAK waiting  EOT waiting
"""

FRAMES = """
    frame                      after ENQ    after frame 1
    next                       ACK waiting  ACK waiting
    the same again             NAK waiting  ACK waiting
    same number, other bytes   NAK waiting  NAK waiting
    two ahead                  NAK waiting  NAK waiting
    one back                   NAK waiting  NAK waiting
    number no digit            NAK waiting  NAK waiting
    wrong sum                  NAK waiting  NAK waiting
    sum in lower case          ACK waiting  ACK waiting
    too long                   NAK waiting  NAK waiting
    no text                    ACK waiting  ACK waiting
    noise before STX           ACK waiting  ACK waiting
"""

SENDER = """
    event     asking         first of two     last of two      pausing     over
    ACK       first sending  last sending     EOT over         - pausing   - over
    NAK       - pausing      first sending    last sending     - pausing   - over
    EOT       - asking       last sending     EOT over         - pausing   - over
    ENQ       - pausing      first sending    last sending     - pausing   - over
    STX       - asking       first sending    last sending     - pausing   - over
    z         - asking       first sending    last sending     - pausing   - over
    NAK x 6   - pausing      first x 5, EOT over  last x 5, EOT over  - pausing  - over
    9 s       - asking       - sending        - sending        - pausing   - over
    10 s      - asking       - sending        - sending        ENQ asking  - over
    15 s      EOT over       EOT over         EOT over         ENQ asking  - over
    heed EOT  - asking       EOT over         EOT over         - pausing   - over
"""

LINE = """
    event   neutral        receiving      asking         sending             yielding
    ENQ     ACK receiving  ACK receiving  - neutral      frame sending       ACK receiving
    ACK     - neutral      - receiving    frame sending  EOT neutral         - neutral
    NAK     - neutral      - receiving    - neutral      frame sending       - neutral
    EOT     - neutral      - neutral      - asking       EOT neutral         - neutral
    z       - neutral      - receiving    - asking       frame sending       - neutral
    frame   - neutral      ACK receiving  - asking       frame x 5, EOT neutral  - neutral
    owed    ENQ asking     - receiving    - asking       - sending           - neutral
    14 s    - neutral      - receiving    - asking       - sending           - neutral
    15 s    - neutral      - receiving    EOT neutral    EOT neutral         - neutral
    20 s    - neutral      - receiving    EOT neutral    EOT neutral         ENQ asking
    30 s    - neutral      - neutral      EOT neutral    EOT neutral         ENQ asking
"""


def cells(table: str) -> list[tuple[str, str, str]]:
    """(state, event, cell) of a table whose columns stand two spaces or more apart."""
    head, *lines = [
        [cell for cell in line.strip().split("  ") if cell.strip()]
        for line in table.strip().splitlines()
    ]
    told = [[cell.strip() for cell in line] for line in lines]
    states = [state.strip() for state in head[1:]]
    assert all(len(line) == len(states) + 1 for line in told), "a cell is missing"
    return [
        (state, line[0], cell)
        for line in told
        for state, cell in zip(states, line[1:], strict=True)
    ]


def answered(receiver: Receiver | Line, actions: list[Action]) -> str:
    said = [action.byte for action in actions if isinstance(action, Reply)]
    return named(said)


def named(said: list[bytes]) -> str:
    """`ACK`, `frame x 5, EOT`; `-` for nothing."""
    words: list[str] = []
    counts: list[int] = []
    for data in said:
        word = NAMES.get(data) or ("frame" if data == FRAME else data[2:-5].decode())
        if words and words[-1] == word:
            counts[-1] += 1
        else:
            words.append(word)
            counts.append(1)
    told = [w if n == 1 else f"{w} x {n}" for w, n in zip(words, counts, strict=True)]
    return ", ".join(told) or "-"


def driven(machine: Receiver | Line, data: bytes | None, now_s: float, *, disk: bool = True) -> str:
    """Feed, or with None let the time pass; keep all or, with `disk` off, nothing."""
    actions: list[Action] = []
    for action in machine.tick(now_s) if data is None else machine.feed(data, now_s):
        if isinstance(action, Keep):
            machine.kept(disk)
        actions.append(action)
    return answered(machine, actions)


def receiver_in(state: str) -> Receiver:
    receiver = Receiver()
    length = {"neutral": 0, "waiting": 1, "text": 5, "check 1": 6, "check 2": 7, "trailer": 8}
    driven(receiver, (b"\x05" + FRAME)[: length[state]], 0.0)
    assert receiver.state is State(state)
    return receiver


@pytest.mark.parametrize(("state", "event", "cell"), cells(RECEIVER))
def test_the_receiver_does_what_its_table_says(state: str, event: str, cell: str) -> None:
    receiver = receiver_in(state)
    if event == "30 s":
        said = driven(receiver, None, 30.0)
    else:
        how, _, name = event.rpartition(" ")
        if how == "turn:":
            receiver.ask_for_turn()
        byte = b"7" if (state, name) == ("check 2", "F") else BYTES[name]
        at_s = 0.5 if how == "pause" else 0.1
        said = driven(receiver, byte, at_s, disk=how != "full:")
    assert f"{said} {receiver.state.value}" == cell


def test_the_receiver_s_table_has_every_state_and_every_control_character() -> None:
    told = cells(RECEIVER)
    assert {state for state, _, _ in told} == {state.value for state in State}
    assert {event for _, event, _ in told} >= set(BYTES)


def frame_for(kind: str, after: int) -> bytes:
    number, text = after + 1, b"frame %d" % (after + 1)
    right = framed(number, text, last=True)
    wrong_sum = b"%02X" % ((int(right[-4:-2], 16) + 1) % 256)
    return {
        "next": right,
        "the same again": framed(after, b"frame %d" % after, last=True),
        "same number, other bytes": framed(after, b"other", last=True),
        "two ahead": framed(number + 1, text, last=True),
        "one back": framed(after - 1, text, last=True),
        "number no digit": b"\x02x" + text + b"\x03" + b"00\r\n",
        "wrong sum": right[:-4] + wrong_sum + right[-2:],
        "sum in lower case": right[:-4] + right[-4:-2].lower() + right[-2:],
        "too long": framed(number, b"x" * 63_994, last=True),
        "no text": framed(number, b"", last=False),
        "noise before STX": b"\0\r\n\xff~" + right,
    }[kind]


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("state", "kind", "cell"), cells(FRAMES))
def test_a_frame_is_judged_by_its_number_sum_and_length(
    state: str, kind: str, cell: str, bytewise: bool
) -> None:
    receiver = receiver_in("waiting")
    after = 1 if state == "after frame 1" else 0
    if after:
        driven(receiver, framed(1, b"frame 1", last=True), 0.0)
    frame = frame_for(kind, after)
    pieces = [frame[at : at + 1] for at in range(len(frame))] if bytewise else [frame]
    said = [word for piece in pieces if (word := driven(receiver, piece, 0.1)) != "-"]
    assert f"{', '.join(said) or '-'} {receiver.state.value}" == cell


def sender_in(state: str, *, heeds: bool = False) -> Sender:
    frames = [framed(1, b"first", last=True), framed(2, b"last", last=True)]
    sender = Sender(frames, heeds_interrupt=heeds)
    replies = {"asking": b"", "first of two": b"\x06", "last of two": b"\x06\x06"}
    if state != "over":
        sender.begin(0.0)
        sender.hear(replies.get(state, b"\x15"), 0.0)
    return sender


@pytest.mark.parametrize(("state", "event", "cell"), cells(SENDER))
def test_the_sender_does_what_its_table_says(state: str, event: str, cell: str) -> None:
    sender = sender_in(state, heeds=event.startswith("heed"))
    if event.endswith(" s"):
        actions = sender.tick(float(event.removesuffix(" s")))
    elif event == "NAK x 6":
        actions = sender.hear(b"\x15" * 6, 0.1)
    else:
        actions = sender.hear(BYTES[event.removeprefix("heed ")], 0.1)
    said = named([action.data for action in actions if isinstance(action, Send)])
    assert f"{said} {sender.state.value}" == cell


def test_the_sender_s_table_has_every_state() -> None:
    reached = {sender_in(state).state for state, _, _ in cells(SENDER)}
    assert reached == set(sending.State)


def line_in(turn: str) -> Line:
    line = Line()
    if turn == "receiving":
        driven(line, b"\x05", 0.0)
    elif turn != "neutral":
        line.owe([b"ab"])
        driven(line, None, 0.0)
        driven(line, {"asking": b"", "sending": b"\x06", "yielding": b"\x05"}[turn], 0.0)
    return line


@pytest.mark.parametrize(("turn", "event", "cell"), cells(LINE))
def test_the_line_takes_turns_as_its_table_says(turn: str, event: str, cell: str) -> None:
    line = line_in(turn)
    if event == "owed":
        line.owe([b"ab"])
        said = driven(line, None, 0.1)
    elif event.endswith(" s"):
        said = driven(line, None, float(event.removesuffix(" s")))
    else:
        said = driven(line, FRAME if event == "frame" else BYTES[event], 0.1)
    assert f"{said} {line.turn.value}" == cell


def test_the_line_s_table_has_every_turn() -> None:
    assert {line_in(turn).turn for turn, _, _ in cells(LINE)} == set(Turn)
