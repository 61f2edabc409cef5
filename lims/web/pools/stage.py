"""The pools' stage: what waits for a pool, and every pool of the last two days."""

from flask import render_template

from lims.web.access import needs
from lims.web.language import laboratory
from lims.web.pool_words import sign_of, stand_word
from lims.web.pools.blueprint import BENCH, blueprint
from lims.web.shell import day_start
from lims.work.views import pool_view, sub_pool_view
from lims.work.views.stages import LIMITS, Item


@blueprint.get("")
@needs(*BENCH)
def page() -> str:
    """What waits for a pool, and every pool of the last two days."""
    lab, since = laboratory(), day_start() - LIMITS[Item.SWAB_AGAIN]
    with lab.sessions.begin() as session:
        rack = pool_view.rack(session, site_id=lab.site_id)
        waiting = pool_view.waiting_pools(session, site_id=lab.site_id, since=since)
        answered = pool_view.answered_pools(session, site_id=lab.site_id, since=since)
        to_prepare = sub_pool_view.to_prepare(session, site_id=lab.site_id)
        all_waiting, all_answered = pool_view.how_many(session, site_id=lab.site_id, since=since)
    return render_template(
        "pools/list.html",
        rack=rack,
        open_pools=waiting,
        done_pools=answered,
        to_prepare=to_prepare,
        all_waiting=all_waiting,
        all_answered=all_answered,
        limit_min=LIMITS[Item.TO_POOL].total_seconds() / 60,
        stand_word=stand_word,
        sign_of=sign_of,
    )
