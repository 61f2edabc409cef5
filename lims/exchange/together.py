"""Everything that one `lims exchange` does at once, each on a thread of its own."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

import structlog

from lims.db.laboratory import Laboratory
from lims.exchange.adapters.register import every_register
from lims.exchange.area_keeper import AreaKeeper
from lims.exchange.ask import Asker
from lims.exchange.compare import Comparer
from lims.exchange.deliver import ExchangeDeliverer
from lims.exchange.forget import Forgetter
from lims.exchange.pull import Puller
from lims.exchange.speakers import every_speaker

log = structlog.get_logger()

_PAUSE_S: Final = 5.0


def run(laboratory: Laboratory, stop: Event) -> None:
    """Tell, ask, pull, compare and forget until `stop` is set. What is killed here is begun
    again."""
    runs = {
        "compare": Comparer(laboratory).run,
        "areas": AreaKeeper(laboratory).run,
        "pull": Puller(laboratory).run,
        "forget": Forgetter(laboratory).run,
    }
    for kind, register in every_register().items():
        runs[f"ask-{kind}"] = Asker(laboratory, kind, register).run
    for name, one in runs.items():
        Thread(target=kept, args=(name, one, stop), name=name, daemon=True).start()
    ExchangeDeliverer(laboratory, every_speaker()).run(stop)


def kept(
    name: str, run: Callable[[Event], None], stop: Event, *, pause_s: float = _PAUSE_S
) -> None:
    """Run it until `stop` is set: what it did not expect ends one look, and not all that follow."""
    while not stop.is_set():
        try:
            run(stop)
        except Exception as failure:
            log.error("exchange.failed", what=name, exc_info=failure)
            stop.wait(pause_s)
