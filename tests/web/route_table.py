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

ROUTES: dict[str, frozenset[Role] | None] = {
    "GET /": EVERYBODY,
    "GET /admin/areas": RUNNERS,
    "GET /admin/subscriptions": RUNNERS,
    "GET /admin/teams": RUNNERS,
    "GET /admin/tokens": ADMINS,
    "GET /admin/users": ADMINS,
    "GET /admin/users/<uuid:user_id>": ADMINS,
    "GET /handoff": BOARD,
    "GET /handoff/cases/<uuid:case_id>": BOARD | {REVIEWER},
    "GET /handoff/cases/<uuid:case_id>/row": BOARD,
    "GET /handoff/dead": OPERATORS,
    "GET /handoff/feed": BOARD,
    "GET /handoff/figures": BOARD,
    "GET /login": PUBLIC,
    "GET /me/password": EVERYBODY,
    "GET /problems": PUBLIC,
    "GET /problems/<slug>": PUBLIC,
    "GET /stages": EVERYBODY,
    "GET /stages/feed": EVERYBODY,
    "GET /static/<path:filename>": PUBLIC,
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
    "POST /handoff/cases/<uuid:case_id>/claim": BOARD,
    "POST /handoff/cases/<uuid:case_id>/release": BOARD,
    "POST /handoff/cases/<uuid:case_id>/seen": BOARD,
    "POST /handoff/cases/<uuid:case_id>/take-over": BOARD,
    "POST /handoff/dead/<uuid:notice_id>/resend": OPERATORS,
    "POST /handoff/dead/receivers/<uuid:subscription_id>/resend": OPERATORS,
    "POST /language": PUBLIC,
    "POST /login": PUBLIC,
    "POST /logout": PUBLIC,
    "POST /me/password": EVERYBODY,
}
