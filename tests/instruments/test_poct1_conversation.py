"""The observation reviewer: an observation is on disk before its AA, and who cannot be understood
hears why."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.line import Action, Keep, NotToldWhetherKept, Reply
from instruments.poct import conversation
from instruments.poct.conversation import Kind, Refusal, Reviewer
from tests.instruments.hl7_messages import every_split
from tests.instruments.poct1_messages import (
    NOW,
    acknowledged,
    control,
    heard,
    hello,
    message,
    observed,
    said,
    spoken,
    status,
)

AA, AE = ("ACK.R01", "AA"), ("ACK.R01", "AE")
DIRECTED = ("DTV.R01", "START_CONTINUOUS")
WANTED = ("REQ.R01", "ROBS")
GOODBYE = ("END.R01", "NRM")
SESSION = (
    hello("SET_TIME", "START_CONTINUOUS")
    + status(1)
    + acknowledged("3")
    + observed(control_id="27")
    + control()
    + message("END.R01", '<TRM><TRM.reason_cd V="USR"/></TRM>')
)


def a_reviewer(longest: int = 4000) -> Reviewer:
    return Reviewer(lambda: NOW, longest_document=longest)


def told(*data: bytes, reviewer: Reviewer | None = None, on_disk: bool = True) -> list[Action]:
    reviewer = reviewer or a_reviewer()
    return [action for each in data for action in heard(reviewer, each, on_disk=on_disk)]


def busy(reviewer: Reviewer) -> bool:
    return reviewer.in_session


def kept(actions: Iterable[Action], kind: Kind = Kind.MESSAGE) -> list[bytes]:
    return [a.data for a in actions if isinstance(a, Keep) and a.kind is kind]


def test_an_observation_is_kept_before_it_is_acknowledged() -> None:
    keep, reply = told(observed(control_id="00027"))
    assert keep == Keep(Kind.MESSAGE, observed(control_id="00027"))
    assert isinstance(reply, Reply)
    (answer,) = said([reply])
    assert answer.root.value("ACK.ack_control_id") == "00027", "as it was written, noughts and all"
    assert answer.root.value("HDR.version_id") == "POCT1"


def test_a_reader_that_knows_it_is_put_into_continuous_mode_once_and_never_asked() -> None:
    reviewer = a_reviewer()
    assert spoken(told(hello("SET_TIME", "START_CONTINUOUS"), reviewer=reviewer)) == [AA]
    assert spoken(told(status(3), reviewer=reviewer)) == [AA, DIRECTED]
    assert spoken(told(acknowledged("3"), reviewer=reviewer)) == []
    for _ in range(2):  # its heartbeat
        assert spoken(told(status(1), reviewer=reviewer)) == [AA]
    assert spoken(told(observed(), control(), reviewer=reviewer)) == [AA, AA]


def test_one_that_does_not_is_asked_for_what_it_has_and_told_goodbye_at_its_end() -> None:
    reviewer = a_reviewer()
    assert spoken(told(hello(), status(2), reviewer=reviewer)) == [AA, AA, WANTED]
    assert spoken(told(acknowledged("3"), observed(), reviewer=reviewer)) == [AA]
    end_of_topic = message("EOT.R01", '<EOT><EOT.topic_cd V="OBS"/></EOT>')
    assert spoken(told(end_of_topic, reviewer=reviewer)) == [AA, GOODBYE]
    assert spoken(told(acknowledged("6"), status(5), reviewer=reviewer)) == [AA]


def test_one_that_has_nothing_is_told_goodbye() -> None:
    assert spoken(told(hello(), status(0))) == [AA, AA, GOODBYE]


def test_a_count_that_is_none_is_asked_about() -> None:
    assert spoken(told(hello(), status("?"))) == [AA, AA, WANTED]


def test_one_that_refuses_the_directive_is_asked_instead() -> None:
    reviewer = a_reviewer()
    said_ = told(hello("START_CONTINUOUS"), status(1), reviewer=reviewer)
    directive = said(said_)[-1].control_id
    assert spoken(told(acknowledged(directive, "AE"), reviewer=reviewer)) == [WANTED]
    assert spoken(told(acknowledged("99", "AE"), reviewer=reviewer)) == []


def test_hello_begins_anew() -> None:
    reviewer = a_reviewer()
    begins = (hello("START_CONTINUOUS"), status(0))
    assert spoken(told(*begins, reviewer=reviewer)) == spoken(told(*begins, reviewer=reviewer))


@pytest.mark.parametrize("kind", ["KPA.R01", "ESC.R01", "END.R01", "DST.R01", "EOT.R01"])
def test_what_carries_no_result_is_acknowledged_and_not_kept(kind: str) -> None:
    actions = told(message(kind, control_id="8"))
    assert spoken(actions) == [AA]
    assert not [each for each in actions if isinstance(each, Keep)]


def test_an_event_is_kept_and_told_to_nobody() -> None:
    keep, _reply = told(message("EVS.R01", '<EVT><EVT.description V="door"/></EVT>'))
    assert isinstance(keep, Keep)
    assert keep.kind is Kind.EVENT


def test_what_nobody_knows_is_kept_as_if_it_were_a_result() -> None:
    unknown = message("DTV.NOVA_REQ.R02")
    assert kept(told(unknown)) == [unknown]


def test_a_full_disk_answers_ae_and_never_aa() -> None:
    actions = told(observed(), on_disk=False)
    assert spoken(actions) == [AE]
    assert [a.refusal for a in actions if isinstance(a, Reply)] == [Refusal.NOT_KEPT]
    assert "send it again" in said(actions)[0].root.value("ACK.note_txt")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (observed().replace(b"<OBS.R01>", b'<!DOCTYPE a [<!ENTITY b "c">]><OBS.R01>'), "document"),
        (observed().replace(b'V="negative"', b'V="&bomb;"'), "cannot be read"),
        (observed().replace(b"</PT>", b"</P>"), "cannot be read"),
        (observed().replace(b"UTF-8", b"KLINGON"), "encoding"),
        (b"<OBS.R01><SVC/></OBS.R01>", "expected HDR"),
        (message("OBS.R01", "<A>" * 70 + "</A>" * 70), "levels"),
    ],
)
def test_what_is_no_message_is_kept_and_answered_ae_with_the_reason(bad: bytes, why: str) -> None:
    actions = told(bad + observed())
    assert spoken(actions) == [AE, AA]
    (answer, _) = said(actions)
    assert why in answer.root.value("ACK.note_txt")
    assert kept(actions, Kind.UNREADABLE) == [bad]


def test_an_entity_is_never_expanded() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    actions = told(observed().replace(b"<OBS.R01>", laughs + b"<OBS.R01>"))
    assert spoken(actions)[0] == AE


def test_a_message_without_end_is_refused_by_its_control_id_and_its_head_kept() -> None:
    endless = observed(control_id="41").replace(b"</OBS.R01>", b"<A>x</A>" * 600)
    actions = told(endless + observed())
    assert spoken(actions) == [AE, AA]
    assert said(actions)[0].root.value("ACK.ack_control_id") == "41"
    assert [len(each) for each in kept(actions, Kind.ENDLESS)] == [4000]


def test_a_message_that_nobody_goes_on_with_is_kept_as_broken_off_and_not_answered() -> None:
    reviewer = a_reviewer()
    assert told(observed()[:300], reviewer=reviewer) == []
    assert busy(reviewer)
    assert list(reviewer.tick(29.9)) == []
    ticked = []
    for action in reviewer.tick(30.0):
        ticked.append(action)
        reviewer.kept(False)
    assert ticked == [Keep(Kind.BROKEN_OFF, observed()[:300])]
    assert not busy(reviewer)
    assert spoken(told(observed(), reviewer=reviewer)) == [AA]


def test_a_caller_who_does_not_say_whether_it_was_kept_is_told_so() -> None:
    with pytest.raises(NotToldWhetherKept):
        list(a_reviewer().feed(observed(), 0.0))


def test_a_control_id_is_echoed_as_xml_and_no_further_than_its_length() -> None:
    (answer,) = said(told(observed(control_id="7&quot;/&gt;&lt;ACK" + "9" * 100)))
    assert answer.root.value("ACK.ack_control_id") == ('7"/><ACK' + "9" * 100)[:64]


def test_every_split_of_a_session_is_answered_the_same() -> None:
    expected = told(SESSION)
    assert spoken(expected) == [AA, AA, DIRECTED, AA, AA, AA]
    for pieces in every_split(SESSION):
        assert told(*pieces) == expected


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_keep_comes_before_the_answer_to_it_whatever_was_flipped(
    data: st.DataObject,
) -> None:
    session = bytearray(SESSION)
    for _ in range(data.draw(st.integers(0, 4))):
        session[data.draw(st.integers(0, len(session) - 1))] = data.draw(st.integers(0, 255))
    ends = sorted(data.draw(st.lists(st.integers(0, len(session)), max_size=4)))
    reviewer, actions = a_reviewer(), []
    for a, b in pairwise([0, *ends, len(session)]):
        actions += told(bytes(session[a:b]), reviewer=reviewer)
    last: Action | None = None
    for action in actions:
        if isinstance(action, Reply) and b"<ACK.R01>" in action.byte and b'"AE"' in action.byte:
            assert isinstance(last, Keep)
        last = action
    assert actions == told(bytes(session))


def test_the_messages_of_a_capture_are_those_that_could_carry_results() -> None:
    assert conversation.messages_in(SESSION) == [observed(control_id="27"), control()]
