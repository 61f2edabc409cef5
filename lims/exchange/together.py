"""Everything that one `lims exchange` does at once, each on a thread of its own."""

from threading import Event, Thread

from lims.db.laboratory import Laboratory
from lims.exchange.adapters.register import every_register
from lims.exchange.area_keeper import AreaKeeper
from lims.exchange.ask import Asker
from lims.exchange.compare import Comparer
from lims.exchange.deliver import ExchangeDeliverer
from lims.exchange.pull import Puller
from lims.exchange.speakers import every_speaker


def run(laboratory: Laboratory, stop: Event) -> None:
    """Tell, ask, pull and compare until `stop` is set. What is killed here is begun again."""
    runs = {
        "compare": Comparer(laboratory).run,
        "areas": AreaKeeper(laboratory).run,
        "pull": Puller(laboratory).run,
    }
    for kind, register in every_register().items():
        runs[f"ask-{kind}"] = Asker(laboratory, kind, register).run
    for name, one in runs.items():
        Thread(target=one, args=(stop,), name=name, daemon=True).start()
    ExchangeDeliverer(laboratory, every_speaker()).run(stop)
