"""Every page a browser is sent to. A new page needs a line: its path and who looks at it."""

from __future__ import annotations

from lims.work.access import Role

STRANGER = None

PAGES: list[tuple[str, Role | None]] = [
    ("/login", STRANGER),
    ("/login?waiting=1&next=/collect", STRANGER),
    ("/problems", STRANGER),
    ("/problems/not-a-barcode", STRANGER),
    ("/nowhere", STRANGER),
    ("/verify", STRANGER),
    ("/verify/7000-0000-0000-0000-000E", STRANGER),
    ("/", Role.OPERATOR),
    ("/", Role.ADMIN),
    ("/me/password", Role.TECHNICIAN),
    ("/admin/users", Role.ADMIN),
    ("/admin/tokens", Role.ADMIN),
    ("/admin/teams", Role.ADMIN),
    ("/admin/subscriptions", Role.ADMIN),
    ("/admin/instruments", Role.ADMIN),
    ("/admin/campaigns", Role.OPERATOR),
    ("/admin/policy", Role.ADMIN),
    ("/admin/control-templates", Role.OPERATOR),
    ("/collect", Role.TECHNICIAN),
    ("/collect/field-pool", Role.TECHNICIAN),
    ("/collect/imports", Role.TECHNICIAN),
    ("/collect/rapid", Role.TECHNICIAN),
    ("/collect/rapid/rosters", Role.TECHNICIAN),
    ("/collect/rapid/kits", Role.REVIEWER),
    ("/collect/again", Role.TECHNICIAN),
    ("/receive", Role.TECHNICIAN),
    ("/receive/racks", Role.TECHNICIAN),
    ("/pools", Role.TECHNICIAN),
    ("/pools/new", Role.TECHNICIAN),
    ("/pools/proposed", Role.TECHNICIAN),
    ("/runs", Role.OPERATOR),
    ("/review", Role.REVIEWER),
    ("/day", Role.OPERATOR),
    ("/review?show=negatives", Role.REVIEWER),
    ("/review?show=addresses", Role.REVIEWER),
    ("/labels", Role.TECHNICIAN),
    ("/search", Role.TECHNICIAN),
    ("/slips", Role.TECHNICIAN),
    ("/handoff/list", Role.OPERATOR),
    ("/handoff/list", Role.TRACER),
    ("/results?day=2021-09-11", Role.TECHNICIAN),
    ("/results?day=2021-01-02", Role.OPERATOR),
    ("/reports", Role.OPERATOR),
    ("/reports?day=2021-01-02", Role.REVIEWER),
]
