"""What gunicorn's workers load: the application, built after gevent has patched the process."""

import gc
import os

from flask import Flask

from lims import log
from lims.app import create_app
from lims.opening import open_laboratory
from lims.settings import Settings

CONNECTIONS_A_WORKER = 16  # requests beyond these wait their turn in the pool


def build() -> Flask:
    """One worker's application, from the environment."""
    log.configure()
    settings = Settings.from_env(os.environ)
    laboratory = open_laboratory(settings, name="lims web", pool_size=CONNECTIONS_A_WORKER)
    app = create_app(laboratory, settings)
    _collect_less()
    return app


def _collect_less() -> None:
    """What stands at start never becomes garbage; a batch's 10,000 rows are not walked midway."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
