"""Who may use which page: written down a second time, by hand, so that a slip in a view shows.

A new view of the HTML door needs a line here. `test_every_route_by_role.py` reads it.
"""

from __future__ import annotations

from lims.work.access import Role

PUBLIC = None  # anybody, signed in or not
EVERYBODY = frozenset(Role)  # anybody signed in
TECHNICIAN, REVIEWER, TRACER = Role.TECHNICIAN, Role.REVIEWER, Role.TRACER
OPERATOR, ADMIN = Role.OPERATOR, Role.ADMIN
ADMINS = frozenset({ADMIN})
RUNNERS = frozenset({ADMIN, OPERATOR})
BOARD = frozenset({TRACER, OPERATOR})
OPERATORS = frozenset({OPERATOR})
BENCH = frozenset({TECHNICIAN, OPERATOR})
LAB = frozenset({TECHNICIAN, REVIEWER, OPERATOR})
READERS = frozenset({REVIEWER, OPERATOR})
REVIEWERS = frozenset({REVIEWER})

ROUTES: dict[str, frozenset[Role] | None] = {
    "GET /": EVERYBODY,
    "GET /admin/areas": RUNNERS,
    "GET /admin/campaigns": RUNNERS,
    "GET /admin/instruments": RUNNERS,
    "GET /admin/subscriptions": RUNNERS,
    "GET /admin/teams": RUNNERS,
    "GET /admin/tokens": ADMINS,
    "GET /admin/users": ADMINS,
    "GET /admin/users/<uuid:user_id>": ADMINS,
    "GET /collect": BENCH,
    "GET /collect/again": BENCH,
    "GET /collect/areas": BENCH,
    "GET /collect/batch": BENCH,
    "GET /collect/field-pool": BENCH,
    "GET /collect/rapid": BENCH,
    "GET /handoff": BOARD,
    "GET /handoff/cases/<uuid:case_id>": BOARD | {REVIEWER},
    "GET /handoff/cases/<uuid:case_id>/row": BOARD,
    "GET /handoff/dead": OPERATORS,
    "GET /handoff/feed": BOARD,
    "GET /handoff/figures": BOARD,
    "GET /labels": BENCH,
    "GET /labels/commands.pdf": BENCH,
    "GET /labels/<uuid:batch_id>.pdf": BENCH,
    "GET /login": PUBLIC,
    "GET /me/password": EVERYBODY,
    "GET /people/<uuid:person_id>": LAB,
    "GET /pools": BENCH,
    "GET /pools/<barcode>": LAB,
    "GET /pools/made/<barcode>": BENCH,
    "GET /pools/new": BENCH,
    "GET /problems": PUBLIC,
    "GET /problems/<slug>": PUBLIC,
    "GET /receive": BENCH,
    "GET /review": READERS,
    "GET /review/messages/<uuid:message_id>": READERS,
    "GET /runs": LAB,
    "GET /runs/<plate>": LAB,
    "GET /runs/<plate>/worklist.csv": LAB,
    "GET /stages": EVERYBODY,
    "GET /stages/feed": EVERYBODY,
    "GET /search": LAB,
    "GET /static/<path:filename>": PUBLIC,
    "GET /tubes/<barcode>": LAB,
    "POST /admin/campaigns": RUNNERS,
    "POST /admin/campaigns/<uuid:campaign_id>/open": RUNNERS,
    "POST /admin/instruments": RUNNERS,
    "POST /admin/instruments/<uuid:instrument_id>/active": RUNNERS,
    "POST /admin/subscriptions": RUNNERS,
    "POST /admin/subscriptions/<uuid:subscription_id>/disable": RUNNERS,
    "POST /admin/subscriptions/<uuid:subscription_id>/enable": RUNNERS,
    "POST /admin/teams": RUNNERS,
    "POST /admin/tokens": ADMINS,
    "POST /admin/tokens/<uuid:token_id>/revoke": ADMINS,
    "POST /admin/users": ADMINS,
    "POST /admin/users/<uuid:user_id>/active": ADMINS,
    "POST /admin/users/<uuid:user_id>/password": ADMINS,
    "POST /admin/users/<uuid:user_id>/roles": ADMINS,
    "POST /collect": BENCH,
    "POST /collect/batch": BENCH,
    "POST /collect/batch/download": BENCH,
    "POST /collect/field-pool": BENCH,
    "POST /collect/field-pool/add": BENCH,
    "POST /collect/field-pool/scan": BENCH,
    "POST /collect/field-pool/undo": BENCH,
    "POST /collect/known": BENCH,
    "POST /collect/rapid": BENCH,
    "POST /collect/rapid/scan": BENCH,
    "POST /collect/scan": BENCH,
    "POST /collect/undo": BENCH,
    "POST /handoff/cases/<uuid:case_id>/claim": BOARD,
    "POST /handoff/cases/<uuid:case_id>/release": BOARD,
    "POST /handoff/cases/<uuid:case_id>/seen": BOARD,
    "POST /handoff/cases/<uuid:case_id>/take-over": BOARD,
    "POST /handoff/dead/<uuid:notice_id>/resend": OPERATORS,
    "POST /handoff/dead/receivers/<uuid:subscription_id>/resend": OPERATORS,
    "POST /labels": BENCH,
    "POST /language": PUBLIC,
    "POST /login": PUBLIC,
    "POST /logout": PUBLIC,
    "POST /me/password": EVERYBODY,
    "POST /pools/new": BENCH,
    "POST /pools/new/scan": BENCH,
    "POST /pools/new/undo": BENCH,
    "POST /receive": BENCH,
    "POST /receive/reject": BENCH,
    "POST /review/corrections/<uuid:measurement_id>/accept": REVIEWERS,
    "POST /review/discordant/<barcode>/close": REVIEWERS,
    "POST /review/identity/<uuid:doubt_id>/other": REVIEWERS,
    "POST /review/identity/<uuid:doubt_id>/same": REVIEWERS,
    "POST /review/measurements/<uuid:measurement_id>/attach": REVIEWERS,
    "POST /review/measurements/<uuid:measurement_id>/dismiss": REVIEWERS,
    "POST /review/positives/<uuid:finding_id>/release": REVIEWERS,
    "POST /review/runs/<uuid:run_id>/invalidate": REVIEWERS,
    "POST /review/runs/<uuid:run_id>/release": REVIEWERS,
    "POST /runs": BENCH,
    "POST /runs/<plate>/abandon": BENCH,
    "POST /scan": LAB,
    "POST /search": LAB,
}
