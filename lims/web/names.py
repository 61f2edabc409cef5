"""Who did it, as colleagues call them: a person's name, where the records keep their login.

Records keep `user:lan`, because names change and logins do not. The site's names are read once for
a page, when the first is asked for. Rules (`auto/1`) and instruments are called what they are.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from flask import Flask, g, has_request_context

from lims.web.language import gettext, laboratory, later
from lims.work.views.administration import names_by_login

_PERSON: Final = ("user:", "import:")  # whose hands it was, and whose list
_MACHINE: Final = ("deliverer", "interpretation", "founding", "exchange")
_TOKEN: Final = "token:"  # noqa: S105 - how the records mark a machine's key
_INSTRUMENT: Final = "instrument:"  # which reader said it
_REGISTER: Final = "register:"  # which register said it
_COMMANDS: Final = "command line"
_WORDS: Final = {
    **dict.fromkeys(_MACHINE, later("the machine")),
    _COMMANDS: later("the command line"),
}


def who(actor: str | None) -> str:
    """Trần Thị Lan for `user:lan`; two of one name are told apart by their logins."""
    if not actor:
        return ""
    for prefix in _PERSON:
        if actor.startswith(prefix):
            login = actor.removeprefix(prefix)
            return _names().get(login, login)
    if actor in _WORDS:
        return gettext(_WORDS[actor])
    return actor.removeprefix(_TOKEN).removeprefix(_INSTRUMENT).removeprefix(_REGISTER)


def _names() -> Mapping[str, str]:
    if not has_request_context():
        return {}  # on paper the names come with what is printed
    if "names" not in g:
        lab = laboratory()
        with lab.statements() as session:
            g.names = _told_apart(names_by_login(session, lab.site_id))
    names: Mapping[str, str] = g.names
    return names


def _told_apart(names: Mapping[str, str]) -> Mapping[str, str]:
    many = Counter(names.values())
    return {login: f"{name} ({login})" if many[name] > 1 else name for login, name in names.items()}


def init_app(app: Flask) -> None:
    """`{{ run.created_by|who }}` in every template."""
    app.jinja_env.filters["who"] = who
