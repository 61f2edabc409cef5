"""Put the doors on a laboratory: settings in, WSGI application out. It decides nothing itself."""

from typing import Final

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from lims.api.blueprint import build as build_api
from lims.api.citizen import build as build_citizen
from lims.api.fhir import build as build_fhir
from lims.db.laboratory import Laboratory
from lims.settings import Settings
from lims.web import (
    access,
    case_map,
    clock_words,
    clusters,
    commands,
    counting,
    day_results,
    deadlines,
    doorway,
    feed,
    flag_words,
    gateways,
    handoff,
    handoff_calls,
    handoff_dead,
    handoff_sent,
    home,
    imports,
    lab_words,
    labels,
    language,
    list_orders,
    names,
    people,
    picture_words,
    plan,
    plating,
    pools,
    positives,
    preparing,
    problems,
    racks,
    rapid,
    recall,
    receive,
    reconciling,
    refusing,
    reports,
    review,
    run_report,
    runs,
    scan,
    search,
    shell,
    slips,
    triage,
    tubes,
    verify,
)
from lims.web.admin import blueprint as administration
from lims.web.collect import blueprint as collection

MAX_BODY_BYTES: Final = 16 * 1024 * 1024  # a batch of 10,000 rows; a list has its own (imports)

PAGES: Final = (
    home.blueprint,
    doorway.blueprint,
    collection,
    imports.blueprint,
    rapid.blueprint,
    receive.blueprint,
    racks.blueprint,
    plan.blueprint,
    pools.blueprint,
    preparing.blueprint,
    runs.blueprint,
    run_report.blueprint,
    plating.blueprint,
    review.blueprint,
    recall.blueprint,
    deadlines.blueprint,
    gateways.blueprint,
    handoff.blueprint,
    handoff_dead.blueprint,
    handoff_calls.blueprint,
    triage.blueprint,
    handoff_sent.blueprint,
    clusters.blueprint,
    case_map.blueprint,
    positives.blueprint,
    list_orders.blueprint,
    feed.blueprint,
    tubes.blueprint,
    people.blueprint,
    labels.blueprint,
    slips.blueprint,
    verify.blueprint,
    reports.blueprint,
    reconciling.blueprint,
    day_results.blueprint,
    scan.blueprint,
    search.blueprint,
    problems.blueprint,
    administration,
)
OTHER_DOORS: Final = frozenset({"api", "fhir", "citizen"})  # blueprints that guard themselves


def create_app(laboratory: Laboratory, settings: Settings) -> Flask:
    """The web process's application."""
    app = Flask("lims.web")
    encrypted = settings.tls_cert is not None or settings.trusted_proxies > 0
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PERMANENT_SESSION_LIFETIME=access.SHIFT,
        SESSION_COOKIE_NAME="__Host-lims" if encrypted else "lims",
        SESSION_COOKIE_SECURE=encrypted,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PRIVATE_WEBHOOKS=settings.private_webhooks,
        MAIL=settings.mail is not None,
        PUBLIC_URL=settings.public_url,
        PUBLIC_URL_LOCAL=settings.public_url_is_own,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.extensions["laboratory"] = laboratory
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # Flask's documented way to wrap
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    machines = (build_api(), build_fhir(), build_citizen())
    for blueprint in machines:
        app.register_blueprint(blueprint)
    access.init_app(app, other_doors=OTHER_DOORS)  # before CSRF: a stranger is asked to sign in
    imports.init_app(app)  # before CSRF too: it reads the form
    protection = CSRFProtect(app)
    for blueprint in machines:  # they know tokens only; no browser sends one by itself
        protection.exempt(blueprint)
    commands.init_app(app)  # after both: a card acts for who is signed in, on a form of ours
    language.init_app(app)
    lab_words.init_app(app)
    names.init_app(app)
    clock_words.init_app(app)
    picture_words.init_app(app)
    flag_words.init_app(app)
    counting.init_app(app, laboratory)
    shell.init_app(app)
    handoff.init_app(app)
    reports.init_app(app, laboratory)
    refusing.init_app(app)
    return app
