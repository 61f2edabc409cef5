"""Every view says who may use it, and what does not say so is closed to everybody.

A view declares `@needs(Role.TECHNICIAN, …)`, `@signed_in_only` or `@public`. The guard runs before
each request of the HTML door and refuses an endpoint without a declaration, so that a forgotten
line locks a page instead of opening it. The API door guards itself with tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote
from uuid import UUID

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from lims.domain.refusals import ForgedForm, WrongScope
from lims.web import kept_form
from lims.web.language import laboratory, now
from lims.work import access
from lims.work.access import Role, SignedIn

View = TypeVar("View", bound=Callable[..., Any])
SHIFT: Final = timedelta(hours=12)  # however busy: nobody's session outlives their shift
EVERY_ROLE: Final = frozenset(Role)
SCANNED_BY: Final = "X-Who"  # whose hands scanned: `scanning.js` says it with each scan it kept
_DECLARED: Final = "_may_enter"

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HARDENED: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Declaration:
    """Who may use a view: everybody, or those with one of the roles."""

    public: bool
    roles: frozenset[Role]


def public(view: View) -> View:
    """Anybody, signed in or not: the sign-in page, static files, problem pages."""
    setattr(view, _DECLARED, Declaration(public=True, roles=EVERY_ROLE))
    return view


def needs(*roles: Role) -> Callable[[View], View]:
    """Somebody signed in with at least one of the roles."""

    def declare(view: View) -> View:
        setattr(view, _DECLARED, Declaration(public=False, roles=frozenset(roles)))
        return view

    return declare


signed_in_only = needs(*EVERY_ROLE)


def declared(app: Flask, endpoint: str) -> Declaration | None:
    """What the view behind an endpoint says of itself."""
    found: Declaration | None = getattr(app.view_functions.get(endpoint), _DECLARED, None)
    return found


def current() -> SignedIn:
    """Who is asking, in a view that is not public."""
    me = maybe_current()
    if me is None:
        raise WrongScope(where=request.path)
    return me


def maybe_current() -> SignedIn | None:
    """Who is asking, or nobody; looked up once a request, so that a lock-out works at once."""
    if "me" not in g:
        g.me = _look_up()
    me: SignedIn | None = g.me
    return me


def enter(me: SignedIn) -> None:
    """Begin a session of theirs in a new cookie (nothing of the visitor's old one stays)."""
    session.clear()
    session.permanent = True
    session["user"], session["epoch"] = str(me.user_id), me.session_epoch
    session["since"] = int(now().timestamp())
    session[kept_form.TOKEN] = kept_form.token_for(me.user_id)
    g.me = me


def leave() -> None:
    """End the session in this browser."""
    session.clear()
    g.me = None


def safe_next(target: str | None) -> str:
    """A path of ours to go on to; anything that might be another site becomes the home page."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return "/"
    return "/" if any(ord(letter) < 32 for letter in target) else target


def init_app(app: Flask, *, other_doors: frozenset[str]) -> None:
    """Guard every endpoint but those of the blueprints that guard themselves."""

    def guard() -> AnyResponse | None:
        endpoint = request.endpoint
        if endpoint is None or endpoint.partition(".")[0] in other_doors:
            return None  # nothing there, or not this door's
        return _admit(declared(current_app, endpoint))

    app.session_interface = _OneSigner()
    public(app.view_functions["static"])
    app.before_request(guard)
    app.after_request(_harden)
    app.context_processor(lambda: {"me": maybe_current()})


def _admit(declaration: Declaration | None) -> AnyResponse | None:
    if declaration is None:
        raise WrongScope(where=request.path)  # nobody may, until the view says who
    if declaration.public:
        return None
    me = maybe_current()
    if me is None:
        kept = kept_form.of_this_request()
        if kept is not None:
            page = render_template("doorway/login.html", typed="", going_to="/", kept=kept)
            return make_response(page, 401)
        going_to = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(f"{url_for('doorway.login')}?next={quote(going_to)}", 303)
    if request.headers.get(SCANNED_BY, str(me.user_id)) != str(me.user_id):
        raise ForgedForm(where=request.path)  # somebody else has signed in since, in another tab
    if not me.roles & declaration.roles:
        raise WrongScope(where=request.path)
    return None


def _look_up() -> SignedIn | None:
    try:
        user_id, epoch = UUID(session["user"]), int(session["epoch"])
        since = datetime.fromtimestamp(session["since"], UTC)
    except (KeyError, ValueError):
        return None
    if now() - since > SHIFT:
        return None
    with laboratory().statements() as database:
        return access.signed_in(database, user_id, epoch)


def _harden(response: Response) -> Response:
    headers = response.headers
    said = {name.lower() for name, _ in headers}  # looked for once, not once a header
    for name, value in _HARDENED.items():
        if name.lower() not in said:
            headers.add(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint == "static":
        if "v" in request.args:
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif "cache-control" not in said:
        headers.add("Cache-Control", "no-store")  # people's data stay out of disk caches
    return response


class _OneSigner(SecureCookieSessionInterface):
    """Flask makes the cookie's signer anew, twice a request; the key of a process never changes."""

    _signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer
