"""``lims VERB [NOUN] --option``: exit 0 done, 1 what was asked about failed, 2 used wrongly."""

import os
import sys
from pathlib import Path
from resource import RLIMIT_AS, getrlimit, setrlimit
from threading import Event, Thread
from typing import Any

import click

from lims.access_cli import token, user
from lims.compare_cli import compare
from lims.console import as_json, counted, say, settings
from lims.panel_cli import panel
from lims.plan_simulate_cli import plan
from lims.recall_cli import recall
from lims.reconcile_cli import reconcile_day
from lims.report_cli import report
from lims.report_many_cli import report_positives, report_situation
from lims.settings import Settings

_MOST_MEMORY = 4 * 1024**3  # bytes; the largest list takes a tenth of it


class Verbs(click.Group):
    """Says what the laboratory's own refusals say, in a sentence; a traceback is for our bugs."""

    def invoke(self, context: click.Context) -> Any:
        """Run the verb; exit 1 with the refusal's words where it is one."""
        try:
            return super().invoke(context)
        except Exception as error:
            said = _refused(error)
            if said is None:
                raise
            raise click.ClickException(said) from error


def _refused(error: Exception) -> str | None:
    from sqlalchemy.exc import OperationalError

    from lims.db.refusals import DatabaseRefusal
    from lims.domain.refusals import Refusal
    from lims.opening import PendingMigrations

    if isinstance(error, OperationalError):
        first = str(error.orig).strip().splitlines()[0]
        return f"the database does not answer: {first}. Start it, or mend LIMS_DATABASE_URL."
    if isinstance(error, Refusal):
        return _faults(error)
    if isinstance(error, DatabaseRefusal | PendingMigrations):
        return str(error)
    return None


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thantoc")
def main() -> None:
    """The LIMS that lets testing outrun an epidemic."""


main.add_command(plan)
main.add_command(report)
main.add_command(user)
main.add_command(token)
main.add_command(panel)
main.add_command(reconcile_day)
main.add_command(recall)
main.add_command(compare)
report.add_command(report_situation)
report.add_command(report_positives)


@main.command()
@as_json
def migrate(as_json: bool) -> None:
    """Bring the database to this release, and load the administrative units once."""
    from lims.opening import prepare

    done = prepare(settings())
    say(
        {"applied": done.migrations, "areas": done.areas, "scheme": done.scheme},
        as_json=as_json,
        human=lambda a: (
            f"Applied {', '.join(a['applied']) or 'nothing: up to date'}."
            + (
                f" Loaded {counted(a['areas'], 'administrative unit')} of {a['scheme']}."
                if a["areas"]
                else f" Areas: {a['scheme']}."
            )
        ),
    )


@main.command()
@click.option("--listen", metavar="HOST:PORT", help="In place of LIMS_LISTEN.")
@click.option("--workers", type=click.IntRange(1), help="In place of LIMS_WORKERS.")
def serve(listen: str | None, workers: int | None) -> None:
    """Serve pages and API (gunicorn with gevent workers) on LIMS_LISTEN.

    Run as many as you like. One of its own for the analysers' gateways
    (--listen … --workers 1) keeps a plate from waiting behind the desks.
    """
    from lims.opening import open_laboratory

    if listen:
        os.environ["LIMS_LISTEN"] = listen  # the workers read their settings again
    if workers:
        os.environ["LIMS_WORKERS"] = str(workers)
    chosen = settings()
    open_laboratory(chosen, name="lims serve").engine.dispose()
    os.execv(sys.executable, [sys.executable, *_gunicorn(chosen)])  # noqa: S606 - our own interpreter


def _gunicorn(chosen: Settings) -> list[str]:
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    tls = (
        ["--certfile", str(chosen.tls_cert), "--keyfile", str(chosen.tls_key)]
        if chosen.tls_cert
        else []
    )
    return [
        *("-m", "gunicorn", "lims.wsgi:build()"),
        *("--bind", f"{host}:{chosen.port}"),
        *("--workers", str(chosen.workers)),
        *("--worker-class", "gevent"),
        *("--worker-connections", "2000"),
        # Longer than any client keeps an idle line (httpx 5 s, nginx 60 s): the side that asks must
        # be the one that hangs up, or a desk's next registration meets a line just being closed.
        *("--keep-alive", "75"),
        *("--graceful-timeout", "5"),
        *("--timeout", "60"),
        *("--log-level", "warning"),
        *tls,
    ]


@main.command()
@click.option("--base-url", default=None, help="How receivers reach this LIMS.")
@click.option(
    "--lease",
    "lease_s",
    default=60.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="Seconds until what a killed deliverer had in hand is sent again.",
)
@click.option("--no-imports", is_flag=True, help="Leave the lists to `lims work` elsewhere.")
@click.option("--no-exchange", is_flag=True, help="Leave other systems to `lims exchange`.")
def deliver(base_url: str | None, lease_s: float, *, no_imports: bool, no_exchange: bool) -> None:
    """Send the notices that are owed to tracing teams, until told to stop.

    Beside it, in processes of their own, uploaded lists are taken in (`lims work`) and other
    systems are told of results (`lims exchange`).
    """
    from contextlib import ExitStack

    from lims import log
    from lims.importing.beside import beside
    from lims.notify.deliver import Deliverer, Pace
    from lims.notify.standing_lists import Maker
    from lims.notify.ways import Ways
    from lims.opening import database_url, open_laboratory

    log.configure()
    chosen = settings()
    laboratory = open_laboratory(chosen, name="lims deliver", pool_size=6)
    stop = _stop_on_signals()
    deliverer = Deliverer(
        laboratory,
        Ways.of(base_url or chosen.public_url, mail=chosen.mail, private=chosen.private_webhooks),
        pace=Pace(lease_s=lease_s),
    )
    try:
        with ExitStack() as processes:
            for verb, left_out in (("work", no_imports), ("exchange", no_exchange)):
                if not left_out:
                    processes.enter_context(beside(verb, database=database_url(chosen)))
            processes.enter_context(Maker(laboratory, base_url or chosen.public_url, chosen.mail))
            deliverer.run(stop)
    finally:
        deliverer.close()
        laboratory.engine.dispose()


def _stop_on_signals() -> Event:
    import signal

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _stop_with_input(stop: Event) -> None:
    sys.stdin.read()
    stop.set()


@main.command()
@click.option("--attached", is_flag=True, help="End when standard input closes.")
def work(*, attached: bool) -> None:
    """Take uploaded lists in, until told to stop. `lims deliver` starts one; more may run."""
    from lims import log
    from lims.importing.worker import Worker
    from lims.opening import open_laboratory

    log.configure()
    laboratory = open_laboratory(settings(), name="lims work", pool_size=4)
    stop = _stop_on_signals()
    if attached:
        Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    os.nice(5)  # notices and pages come first
    _limit_memory()
    try:
        Worker(laboratory).run(stop)
    finally:
        laboratory.engine.dispose()


@main.command()
@click.option("--attached", is_flag=True, help="End when standard input closes.")
def exchange(*, attached: bool) -> None:
    """Tell other systems of results, and ask those that people declare themselves to what is new,
    until told to stop. `lims deliver` starts one.

    Once a day it asks those that can say it what they hold of what they took (`lims compare`).
    Registers are asked about people: whose a card number is, which doses they had.
    """
    from lims import log
    from lims.exchange import together
    from lims.opening import open_laboratory

    log.configure()
    laboratory = open_laboratory(settings(), name="lims exchange", pool_size=12)
    stop = _stop_on_signals()
    if attached:
        Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    os.nice(5)  # notices and pages come first
    try:
        together.run(laboratory, stop)
    finally:
        laboratory.engine.dispose()


def _limit_memory() -> None:
    """A workbook that unpacks to everything ends this process, and not PostgreSQL."""
    setrlimit(RLIMIT_AS, (_MOST_MEMORY, getrlimit(RLIMIT_AS)[1]))


@main.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADING=WHAT",
    help="A heading and what it holds: barcode, name, birth, sex, phone, national_id, area, …",
)
@click.option("--sheet", help="The sheet of a workbook; the likeliest if left out.")
@click.option("--campaign", help="The name of an open campaign.")
@click.option("--bad", "bad_file", type=click.Path(path_type=Path), help="Where bad rows go.")
@as_json
def import_file(
    path: Path,
    *,
    columns: tuple[str, ...],
    sheet: str | None,
    campaign: str | None,
    bad_file: Path | None,
    as_json: bool,
) -> None:
    """Take a list in (XLSX or CSV, to 100,000 rows); its bad rows come back beside it.

    Exits 0 only when every line was registered or was here before.
    """
    from dataclasses import asdict

    from lims.importing.shell import import_list
    from lims.opening import open_laboratory

    laboratory = open_laboratory(settings(), name="lims import", pool_size=4)
    _limit_memory()
    said = import_list(
        laboratory,
        path,
        columns=columns,
        sheet=sheet,
        campaign=campaign,
        bad_file=bad_file,
    )
    say(
        asdict(said),
        as_json=as_json,
        human=lambda a: (
            ("This very file was sent before; of it: " if a["replayed"] else "")
            + f"{a['taken']} registered, {a['again']} were here before, {a['bad']} bad"
            + (f": see {a['bad_file']}." if a["bad_file"] else ".")
            + ("" if a["state"] == "done" else f" The list is not done: {a['state']}.")
        ),
    )
    sys.exit(1 if said.bad or said.state != "done" else 0)


@main.command()
@click.option("--once", is_flag=True, help="Headless, at full speed, then reconciled.")
@click.option("--people", default=400, show_default=True, type=click.IntRange(10, 20_000))
@click.option("--prevalence", default=0.02, show_default=True, type=click.FloatRange(0, 1))
@click.option("--seed", default=184, show_default=True, type=click.IntRange(0, 9999))
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="A folder to make for its files; removed at the end.",
)
@as_json
def demo(
    *, once: bool, people: int, prevalence: float, seed: int, home: Path | None, as_json: bool
) -> None:
    """The whole mission on this machine: a commune is swabbed, pooled, run, resolved, traced."""
    from lims.demo.once import run_once
    from lims.demo.stage import present
    from lims.demo.telling import Broke

    if home is not None and home.exists():
        raise click.BadParameter(f"{home} exists already", param_hint="--home")
    try:
        if once:
            clean = run_once(
                people=people, prevalence=prevalence, seed=seed, home=home, as_json=as_json
            )
        else:
            clean = present(people=people, prevalence=prevalence, seed=seed, home=home)
    except Broke as fault:
        raise click.ClickException(str(fault)) from fault
    sys.exit(0 if clean else 1)


@main.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def loadtest(options: tuple[str, ...]) -> None:
    """A mass-testing day on the real programs, with faults, reconciled (--help for its options)."""
    # A process of its own: locust's users are greenlets, and gevent must patch it first.
    command = [sys.executable, "-m", "loadtests.day", *options]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter


def _faults(refusal: Exception) -> str:
    facts = getattr(refusal, "facts", {})
    listed = "; ".join(f"{e['pointer'][2:]}: {e['detail']}" for e in facts.get("errors", []))
    return listed or str(refusal)


@main.group()
def database() -> None:
    """The embedded PostgreSQL."""


@database.command("stop")
def stop_database() -> None:
    """Stop the embedded server; whatever was committed is there at the next start."""
    from lims.db.embedded import EmbeddedServer

    EmbeddedServer(settings().home).stop()
    click.echo("Stopped.")


@database.command("status")
@as_json
def database_status(as_json: bool) -> None:
    """Say whether the embedded server runs, and where its data is."""
    from lims.db.embedded import EmbeddedServer

    server = EmbeddedServer(settings().home)
    say(
        {"status": str(server.status()), "data": str(server.data)},
        as_json=as_json,
        human=lambda a: f"{a['status']}: {a['data']}",
    )


if __name__ == "__main__":
    main()
