"""It can be read, but what is already true forbids it."""

from __future__ import annotations

from collections.abc import Sequence

from lims.domain.refusals.families import Conflict


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
        self,
        *,
        source: str,
        target: str,
        allowed: Sequence[str],
        where: str = "",
        came: str = "",
        todo: str | None = None,
    ) -> None:
        super().__init__(
            came=came or f"{source} → {target}",
            where=where,
            expected=None if allowed else "no further move: this state is final",
            todo=todo,
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


class PoolAboveValidated(Conflict):
    slug = "pool-above-validated"
    expected = "no more tubes than this laboratory's validation panel allows in a pool"
    todo = "make smaller pools, or validate the larger size and enter its dilution series"


class SubPoolMade(Conflict):
    slug = "sub-pool-made"
    expected = "a row, column or group that nobody has prepared yet"
    todo = "go on with the next one; this one is on the rack under the label that came"


class NotInThisSubPool(Conflict):
    slug = "not-in-this-sub-pool"
    expected = "a tube of the row, column or group that is being pipetted"
    todo = "put it back and take the tube that the list names; nothing was kept"


class NoVolumeLeft(Conflict):
    slug = "no-volume-left"
    expected = "a tube with enough left for one more draw"
    todo = "draw nothing from it; correct its volume if the number is wrong"


class DrawsMissing(Conflict):
    slug = "draws-missing"
    expected = "every draw ticked, or none of them"
    todo = "scan the tubes that are left, then the label again"


class SubPoolNotWanted(Conflict):
    slug = "sub-pool-not-wanted"
    expected = "a row, column or group that the pool still asks for"
    todo = "do not measure it: an answer came meanwhile; look at the pool for what it needs now"


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
    todo = "it is tested as it is: scan it onto a plate; pools of pools are off at this site"


class MixedAssay(Conflict):
    slug = "mixed-assay"
    expected = "tubes for one assay on one plate or pool"
    todo = "put this tube with the others of its assay"


class WellTaken(Conflict):
    slug = "well-taken"
    expected = "an empty well"
    todo = "choose an empty well, or clear this one first"


class DriverDiffers(Conflict):
    slug = "driver-differs"
    expected = "an analyser that is set up as what its gateway reads it as"
    todo = "set its driver right under Analysers, then attach this; or dismiss it"


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


class QueueEmpty(Conflict):
    slug = "queue-empty"
    expected = "tests waiting in the queue"
    todo = "receive tubes or make pools first"


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


class NoDesign(Conflict):
    slug = "no-design-within-limits"
    expected = "a design that keeps to all the limits"
    todo = "allow larger pools or more stages, or ask for less pooling sensitivity"


class PoolAboveCap(Conflict):
    slug = "pool-above-cap"
    expected = "no pool larger than the largest that is allowed"
    todo = "plan with smaller pools, or validate larger ones first"
