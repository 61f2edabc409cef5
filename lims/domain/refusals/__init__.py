"""Every way the laboratory says no, by name.

    Refusal
    ├── Unknown                 nothing here answers to that name
    │   ├── NotFound                    not-found
    │   ├── ListExpired                 list-expired
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
    │   ├── PersonCard                  person-card
    │   ├── Misread                     a barcode, but for one character  + suggestions
    │   │   ├── WrongCheckCharacter     wrong-check-character
    │   │   └── OnlyDigits              only-digits
    │   ├── TornCard                    torn-card
    │   ├── MaskedCard                  masked-card
    │   ├── BadSearch                   bad-search
    │   ├── NotAKitCode                 not-a-kit-code
    │   ├── NotAWell                    not-a-well
    │   ├── NotAPhoneNumber             not-a-phone-number
    │   ├── OutOfRange                  plan-out-of-range
    │   └── NotADesign                  not-a-design
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
    │   ├── PoolAboveValidated          pool-above-validated
    │   ├── NotInThisSubPool            not-in-this-sub-pool
    │   ├── NoVolumeLeft                no-volume-left
    │   ├── DrawsMissing                draws-missing
    │   ├── SubPoolMade                 sub-pool-made
    │   ├── SubPoolNotWanted            sub-pool-not-wanted
    │   ├── PoolHasResults              pool-has-results
    │   ├── TubeHasOwnTest              tube-has-own-test
    │   ├── TubeHasNoTest               tube-has-no-test
    │   ├── PoolOfPools                 pool-of-pools
    │   ├── MixedAssay                  mixed-assay
    │   ├── WellTaken                   well-taken
    │   ├── DriverDiffers               driver-differs
    │   ├── TooLateToTakeBack           too-late-to-take-back
    │   ├── WasTakenBack                was-taken-back
    │   ├── TubeStillOpen               tube-still-open
    │   ├── SameReviewer                same-reviewer
    │   ├── PolicyChanged               policy-changed
    │   ├── PlateFull                   plate-full
    │   ├── QueueEmpty                  queue-empty
    │   ├── RackClosed                  rack-closed
    │   ├── LastAdmin                   last-admin
    │   ├── DeskStays                   desk-stays
    │   ├── NoDesign                    no-design-within-limits
    │   └── PoolAboveCap                pool-above-cap
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

from lims.domain.refusals.asker import (
    BodyTooLarge,
    ForgedForm,
    NotSignedIn,
    NotYourRegistration,
    TooManyAttempts,
    WrongScope,
)
from lims.domain.refusals.conflict import (
    AlreadyInPool,
    BarcodeTaken,
    DeskStays,
    DifferentBody,
    DrawsMissing,
    DriverDiffers,
    IdentityConflict,
    IllegalMove,
    KitExpired,
    LastAdmin,
    MixedAssay,
    NoDesign,
    NotInThisSubPool,
    NoVolumeLeft,
    OutsideReadWindow,
    PersonTwiceInPool,
    PlateFull,
    PolicyChanged,
    PoolAboveCap,
    PoolAboveValidated,
    PoolFull,
    PoolHasResults,
    PoolOfPools,
    QueueEmpty,
    RackClosed,
    SameReviewer,
    SubPoolMade,
    SubPoolNotWanted,
    TooLateToTakeBack,
    TubeHasNoTest,
    TubeHasOwnTest,
    TubeRejected,
    TubeStillOpen,
    TubeTwiceInPool,
    WasTakenBack,
    WellTaken,
)
from lims.domain.refusals.families import (
    Conflict,
    Forbidden,
    Malformed,
    Refusal,
    TooLarge,
    TooMany,
    Unknown,
    every_refusal,
)
from lims.domain.refusals.malformed import (
    BadSearch,
    InvalidBody,
    MaskedCard,
    Misread,
    NotABarcode,
    NotADesign,
    NotAKitCode,
    NotAPhoneNumber,
    NotAWell,
    NotUtf8,
    OnlyDigits,
    OutOfRange,
    PersonCard,
    TornCard,
    UnreadableList,
    WrongCheckCharacter,
)
from lims.domain.refusals.unknown import (
    ListExpired,
    NotFound,
    NothingToTakeBack,
    UnknownBarcode,
    UnknownInstrument,
    UnknownRun,
    UnknownUnit,
)

__all__ = [
    "AlreadyInPool",
    "BadSearch",
    "BarcodeTaken",
    "BodyTooLarge",
    "Conflict",
    "DeskStays",
    "DifferentBody",
    "DrawsMissing",
    "DriverDiffers",
    "Forbidden",
    "ForgedForm",
    "IdentityConflict",
    "IllegalMove",
    "InvalidBody",
    "KitExpired",
    "LastAdmin",
    "ListExpired",
    "Malformed",
    "MaskedCard",
    "Misread",
    "MixedAssay",
    "NoDesign",
    "NoVolumeLeft",
    "NotABarcode",
    "NotADesign",
    "NotAKitCode",
    "NotAPhoneNumber",
    "NotAWell",
    "NotFound",
    "NotInThisSubPool",
    "NotSignedIn",
    "NotUtf8",
    "NotYourRegistration",
    "NothingToTakeBack",
    "OnlyDigits",
    "OutOfRange",
    "OutsideReadWindow",
    "PersonCard",
    "PersonTwiceInPool",
    "PlateFull",
    "PolicyChanged",
    "PoolAboveCap",
    "PoolAboveValidated",
    "PoolFull",
    "PoolHasResults",
    "PoolOfPools",
    "QueueEmpty",
    "RackClosed",
    "Refusal",
    "SameReviewer",
    "SubPoolMade",
    "SubPoolNotWanted",
    "TooLarge",
    "TooLateToTakeBack",
    "TooMany",
    "TooManyAttempts",
    "TornCard",
    "TubeHasNoTest",
    "TubeHasOwnTest",
    "TubeRejected",
    "TubeStillOpen",
    "TubeTwiceInPool",
    "Unknown",
    "UnknownBarcode",
    "UnknownInstrument",
    "UnknownRun",
    "UnknownUnit",
    "UnreadableList",
    "WasTakenBack",
    "WellTaken",
    "WrongCheckCharacter",
    "WrongScope",
    "every_refusal",
]
