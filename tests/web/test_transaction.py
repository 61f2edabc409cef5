"""A form that lost a race is run again; any other failure is not."""

from __future__ import annotations

import pytest
from flask import Flask
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lims.web.transaction import MOST_TRIES, in_transaction


class Form:
    """Work that fails so often before it succeeds."""

    def __init__(self, failure: Exception, times: int) -> None:
        self.failure, self.times, self.tries = failure, times, 0

    def __call__(self, _session: Session) -> str:
        self.tries += 1
        if self.tries <= self.times:
            raise OperationalError("UPDATE tube", {}, self.failure)
        return "done"


@pytest.mark.parametrize("failure", [DeadlockDetected(), SerializationFailure()])
def test_a_form_that_lost_a_deadlock_is_run_again(app: Flask, failure: Exception) -> None:
    form = Form(failure, MOST_TRIES - 1)
    with app.app_context():
        assert in_transaction(form) == "done"
    assert form.tries == MOST_TRIES


def test_a_form_that_always_loses_fails_in_the_end(app: Flask) -> None:
    form = Form(DeadlockDetected(), MOST_TRIES)
    with app.app_context(), pytest.raises(OperationalError):
        in_transaction(form)
    assert form.tries == MOST_TRIES


def test_any_other_failure_is_not_tried_again(app: Flask) -> None:
    form = Form(LockNotAvailable(), 1)
    with app.app_context(), pytest.raises(OperationalError):
        in_transaction(form)
    assert form.tries == 1
