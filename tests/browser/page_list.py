"""Every page a browser is sent to. A new page needs a line: its path and who looks at it."""

from __future__ import annotations

from lims.work.access import Role

STRANGER = None

PAGES: list[tuple[str, Role | None]] = [
    ("/login", STRANGER),
    ("/problems", STRANGER),
    ("/problems/not-a-barcode", STRANGER),
    ("/nowhere", STRANGER),
    ("/", Role.OPERATOR),
    ("/", Role.ADMIN),
    ("/me/password", Role.TECHNICIAN),
    ("/admin/users", Role.ADMIN),
    ("/admin/tokens", Role.ADMIN),
    ("/admin/teams", Role.ADMIN),
    ("/admin/subscriptions", Role.ADMIN),
]
