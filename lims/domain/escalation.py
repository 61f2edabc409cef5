"""What happens to a case that nobody claims, and what may come of ringing somebody about it."""

from enum import StrEnum


class Step(StrEnum):
    """One step further (stories.md S21), in the order they are taken."""

    ROSTER = "roster"
    WARD = "ward"
    PROVINCE = "province"
    NATION = "nation"
    VOICE = "voice"


class Reached(StrEnum):
    """What came of a call. None of them claims a case."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    CALLS_BACK = "calls_back"
