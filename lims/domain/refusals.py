"""Every way the laboratory says no, by name.

    Refusal
    ├── Unknown                 nothing here answers to that name
    │   ├── NotFound                    not-found
    │   ├── UnknownBarcode              unknown-barcode
    │   ├── UnknownInstrument           unknown-instrument
    │   ├── UnknownRun                  unknown-run
    │   ├── NothingToTakeBack           nothing-to-take-back
    │   └── UnknownUnit                 unit-unknown
    ├── Malformed               it cannot be read as what it should be
    │   ├── InvalidBody                 invalid-body           + errors
    │   ├── NotUtf8                     not-utf8
    │   ├── UnreadableList              unreadable-list
    │   ├── NotABarcode                 not-a-barcode
    │   ├── WrongCheckCharacter         wrong-check-character  + suggestions
    │   ├── TornCard                    torn-card
    │   ├── MaskedCard                  masked-card
    │   ├── NotAKitCode                 not-a-kit-code
    │   ├── NotAWell                    not-a-well
    │   └── NotAPhoneNumber             not-a-phone-number
    ├── Conflict                it can be read, but what is already true forbids it
    │   ├── DifferentBody               different-body
    │   ├── BarcodeTaken                barcode-taken
    │   ├── IllegalMove                 tube-state             + from, to, allowed
    │   ├── TubeRejected                tube-rejected
    │   ├── OutsideReadWindow           outside-read-window
    │   ├── KitExpired                  kit-expired
    │   ├── IdentityConflict            identity-conflict
    │   ├── AlreadyInPool               already-in-pool
    │   ├── TubeTwiceInPool             tube-twice-in-pool
    │   ├── PersonTwiceInPool           person-twice-in-pool
    │   ├── PoolFull                    pool-full
    │   ├── PoolHasResults              pool-has-results
    │   ├── TubeHasOwnTest              tube-has-own-test
    │   ├── TubeHasNoTest               tube-has-no-test
    │   ├── PoolOfPools                 pool-of-pools
    │   ├── MixedAssay                  mixed-assay
    │   ├── WellTaken                   well-taken
    │   ├── TooLateToTakeBack           too-late-to-take-back
    │   ├── WasTakenBack                was-taken-back
    │   ├── TubeStillOpen               tube-still-open
    │   ├── SameReviewer                same-reviewer
    │   ├── PolicyChanged               policy-changed
    │   ├── PlateFull                   plate-full
    │   ├── RackClosed                  rack-closed
    │   ├── LastAdmin                   last-admin
    │   └── DeskStays                   desk-stays
    ├── Forbidden               this person may not
    │   ├── NotSignedIn                 not-signed-in
    │   ├── WrongScope                  wrong-scope
    │   ├── NotYourRegistration         not-your-registration
    │   └── ForgedForm                  csrf
    ├── TooLarge
    │   └── BodyTooLarge                body-too-large
    └── TooMany
        └── TooManyAttempts             too-many-attempts      + retry_after_s

A rule raises a leaf; `web` and `api` alone turn the five branches (and `NotSignedIn`) into status
codes. `slug` is the stable last part of the RFC 9457 problem type `/problems/<slug>`: it may gain
a neighbour and is never renamed. Facts are JSON values (RFC 9457 section 3.2, extension members)
and never name a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar


class Refusal(Exception):
    """The laboratory says no: what it expected, what came, where, and what to do next.

    A leaf carries its usual `expected` and `todo` on the class, so that its problem page can be
    written without an instance; a rule overrides them when it knows better.
    """

    slug: ClassVar[str] = "refused"
    expected: str = ""
    todo: str = ""

    def __init__(
        self,
        *,
        came: str = "",
        where: str = "",
        expected: str | None = None,
        todo: str | None = None,
        **facts: object,
    ) -> None:
        super().__init__()
        self.came = came
        self.where = where
        self.facts: Mapping[str, object] = facts
        if expected is not None:
            self.expected = expected
        if todo is not None:
            self.todo = todo

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        came = f", came {self.came}" if self.came else ""
        todo = f"; {self.todo}" if self.todo else ""
        return f"Expected {self.expected or 'otherwise'}{place}{came}{todo}."


def every_refusal(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Each leaf of the tree once, so that a test can hold a page and a status to each slug."""
    for branch in root.__subclasses__():
        if branch.__subclasses__():
            yield from every_refusal(branch)
        elif "slug" in vars(branch):
            yield branch


class Unknown(Refusal):
    """Nothing here answers to that name."""


class Malformed(Refusal):
    """It cannot be read as what it should be; sending the same again cannot help."""


class Conflict(Refusal):
    """It can be read, but what is already true forbids it."""


class Forbidden(Refusal):
    """The asker may not do or see this."""


class TooLarge(Refusal):
    """More bytes or rows than are taken at once."""


class TooMany(Refusal):
    """Asked too often; the same may be asked again later."""


# --- Unknown


class NotFound(Unknown):
    slug = "not-found"
    expected = "something that exists and that you may see"
    todo = "check the address or go back to the list"


class UnknownBarcode(Unknown):
    slug = "unknown-barcode"
    expected = "a barcode that was registered here"
    todo = "scan the tube again, or register it if it came without a registration"


class UnknownInstrument(Unknown):
    slug = "unknown-instrument"
    expected = "an instrument set up at this site"
    todo = "ask an operator to add the instrument, then send again"


class UnknownRun(Unknown):
    slug = "unknown-run"
    expected = "a run planned here"
    todo = "check the plate barcode or choose the run by hand; the message is kept"


class UnknownUnit(Unknown):
    slug = "unit-unknown"
    expected = "an area code together with the scheme version it belongs to"
    todo = "choose the area from the list; the case goes to the province until then"


class NothingToTakeBack(Unknown):
    slug = "nothing-to-take-back"
    expected = "a registration of this desk today"
    todo = "nothing was changed; scan the next card or tube"


# --- Malformed


class InvalidBody(Malformed):
    slug = "invalid-body"
    expected = "every field as the API describes it"
    todo = "correct the fields listed under errors and send again"

    def __init__(
        self, *, errors: Sequence[Mapping[str, object]], where: str = "", came: str = ""
    ) -> None:
        super().__init__(came=came, where=where, errors=list(errors))


class NotUtf8(Malformed):
    slug = "not-utf8"
    expected = "text in UTF-8"
    todo = "save or send it as UTF-8; nothing was taken"


class UnreadableList(Malformed):
    slug = "unreadable-list"
    expected = "an .xlsx workbook or CSV with a line of headings and at most 100,000 lines"
    todo = "save the list as .xlsx or CSV and send it again; nothing was taken"


class NotABarcode(Malformed):
    slug = "not-a-barcode"
    expected = "11 letters and digits, with or without hyphens"
    todo = "scan again, or type the characters under the bars"


class WrongCheckCharacter(Malformed):
    """`suggestions` are whole barcodes as shown on a label, the likeliest first."""

    slug = "wrong-check-character"
    expected = "a barcode whose last character agrees with the ten before it"
    todo = "scan again, or compare the label with the suggestions"

    def __init__(self, *, came: str, where: str = "", suggestions: Sequence[str] = ()) -> None:
        super().__init__(came=came, where=where, suggestions=list(suggestions))
        self.suggestions = tuple(suggestions)


class TornCard(Malformed):
    """Raised without `came`: what is left of a card's code is still somebody's data."""

    slug = "torn-card"
    expected = "the whole code of a card"
    todo = "part of the card's code is missing: scan it again, slowly, or type who it is"


class MaskedCard(Malformed):
    """Raised without `came`, as above."""

    slug = "masked-card"
    expected = "a code with the whole name"
    todo = "the code hides part of the name: type the full name, or scan the identity card"


class NotAKitCode(Malformed):
    slug = "not-a-kit-code"
    expected = "the GS1 code of a kit's box with (01) item, (10) lot and (17) expiry"
    todo = "scan the box again, or type lot and expiry date as printed"


class NotAWell(Malformed):
    slug = "not-a-well"
    expected = "a row letter and a column number that the plate has"
    todo = "name the well as A01 to H12 on a 96-well plate"


class NotAPhoneNumber(Malformed):
    """Raised without `came`: a telephone number belongs to a person and stays out of logs."""

    slug = "not-a-phone-number"
    expected = "a Vietnamese mobile or landline number, or +country and number"
    todo = "check the digits, or leave the number empty"


# --- Conflict


class DifferentBody(Conflict):
    slug = "different-body"
    expected = "the same content as the first time this id was sent"
    todo = "send the change under a new id; the first one stands"


class BarcodeTaken(Conflict):
    slug = "barcode-taken"
    expected = "a barcode that no other tube carries"
    todo = "use a new label; the first tube keeps this one"


class IllegalMove(Conflict):
    """`from`, `to` and `allowed` are state names."""

    slug = "tube-state"
    expected = "a move the tube's state allows"
    todo = "look at the tube's history, then choose one of the allowed moves"

    def __init__(
        self, *, source: str, target: str, allowed: Sequence[str], where: str = ""
    ) -> None:
        super().__init__(
            came=f"{source} → {target}",
            where=where,
            expected=None if allowed else "no further move: this state is final",
        )
        self.facts = {"from": source, "to": target, "allowed": list(allowed)}


class TubeRejected(Conflict):
    slug = "tube-rejected"
    expected = "a tube that was accepted at reception"
    todo = "set the tube aside; its people are on the recollection list"


class OutsideReadWindow(Conflict):
    slug = "outside-read-window"
    expected = "a rapid test read inside its window"
    todo = "wait until it is readable; a test read too late is repeated with a new kit"


class KitExpired(Conflict):
    slug = "kit-expired"
    expected = "a kit that has not expired"
    todo = "put the box aside and scan another lot; a strip of this one says nothing"


class IdentityConflict(Conflict):
    slug = "identity-conflict"
    expected = "one person behind one identity number"
    todo = "a clerk compares the card with both records and decides"


class AlreadyInPool(Conflict):
    slug = "already-in-pool"
    expected = "a tube that is in no open pool"
    todo = "take it out of the other pool first, or leave it there"


class TubeTwiceInPool(Conflict):
    slug = "tube-twice-in-pool"
    expected = "each tube once in a pool"
    todo = "it is in this pool already; scan the next tube"


class PersonTwiceInPool(Conflict):
    slug = "person-twice-in-pool"
    expected = "each person once in a pool"
    todo = "put the second tube of this person in another pool"


class PoolFull(Conflict):
    slug = "pool-full"
    expected = "no more tubes than the pool design takes"
    todo = "close this pool and open the next"


class PoolHasResults(Conflict):
    slug = "pool-has-results"
    expected = "a pool that has not been measured"
    todo = "leave the pool as it is; cancel its result first if it was built wrongly"


class TubeHasOwnTest(Conflict):
    slug = "tube-has-own-test"
    expected = "a tube that is not tested on its own"
    todo = "leave the tube on its rack and make the pool without it; its own test answers for it"


class TubeHasNoTest(Conflict):
    slug = "tube-has-no-test"
    expected = "a tube with a test waiting in the queue"
    todo = "put it back on its rack, or look at its page to see what it waits for"


class PoolOfPools(Conflict):
    slug = "pool-of-pools"
    expected = "single tubes where the site does not allow pools of pools"
    todo = "pool the source tubes themselves, or ask an operator to allow it"


class MixedAssay(Conflict):
    slug = "mixed-assay"
    expected = "tubes for one assay on one plate or pool"
    todo = "put this tube with the others of its assay"


class WellTaken(Conflict):
    slug = "well-taken"
    expected = "an empty well"
    todo = "choose an empty well, or clear this one first"


class TooLateToTakeBack(Conflict):
    slug = "too-late-to-take-back"
    expected = "a tube that has not reached the laboratory"
    todo = "reject the tube at the laboratory's door with a reason, or tell a reviewer whose it is"


class WasTakenBack(Conflict):
    slug = "was-taken-back"
    expected = "a registration that was not taken back"
    todo = "register the person again if the swab was taken after all"


class TubeStillOpen(Conflict):
    slug = "tube-still-open"
    expected = "no tube open at this desk"
    todo = "close this tube first, or take its people out with undo"


class SameReviewer(Conflict):
    slug = "same-reviewer"
    expected = "a second reviewer, another person than the first"
    todo = "let a colleague review it, or take back your signature"


class PolicyChanged(Conflict):
    slug = "policy-changed"
    expected = "the policy as it was shown"
    todo = "look at what it is now, and decide again"


class PlateFull(Conflict):
    slug = "plate-full"
    expected = "a plate with a free well"
    todo = "export its worklist and open the next plate"


class RackClosed(Conflict):
    slug = "rack-closed"
    expected = "a rack that is still being scanned"
    todo = "scan the tube at the door; the rack keeps what was missing when it was closed"


class LastAdmin(Conflict):
    slug = "last-admin"
    expected = "at least one active administrator at the site"
    todo = "make somebody else administrator first"


class DeskStays(Conflict):
    slug = "desk-stays"
    expected = "a subscription of one area, or a webhook"
    todo = "leave the board of the whole country as it is; without it a case could go nowhere"


# --- Forbidden


class NotSignedIn(Forbidden):
    slug = "not-signed-in"
    expected = "a signed-in person or a valid token"
    todo = "sign in, or send the token in the Authorization header"


class WrongScope(Forbidden):
    slug = "wrong-scope"
    expected = "a role and an area that allow this"
    todo = "ask an operator for the role, or hand over to someone who has it"


class NotYourRegistration(Forbidden):
    slug = "not-your-registration"
    expected = "a registration made under your own name"
    todo = "ask whoever registered it, or reject the tube at the laboratory's door"


class ForgedForm(Forbidden):
    slug = "csrf"
    expected = "the form as this site issued it to you"
    todo = "load the page again and send the form once more"


# --- TooLarge, TooMany


class BodyTooLarge(TooLarge):
    slug = "body-too-large"
    expected = "no more bytes or rows than the limit"
    todo = "send it in smaller parts"


class TooManyAttempts(TooMany):
    """`retry_after_s` is in whole seconds, as the Retry-After header counts (RFC 9110, 10.2.3)."""

    slug = "too-many-attempts"
    expected = "fewer attempts in this time"
    todo = "wait, then try again"

    def __init__(self, *, retry_after_s: int, came: str = "", where: str = "") -> None:
        super().__init__(came=came, where=where, retry_after_s=retry_after_s)
