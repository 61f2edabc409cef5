"""The program `lims` as pip installs it: also beside a gateway that was installed alone."""

import sys

_OURS = ("lims", "instruments", "reports", "loadtests")


def main() -> None:
    """Run the verbs; exit 1 with a sentence where the LIMS' own packages were not installed."""
    try:
        from lims.cli import main as verbs
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] in _OURS:
            raise
        sys.exit(
            f"lims: {missing.name} is not installed. Here is the gateway alone (lims-gateway);"
            " the LIMS is: pip install 'thantoc[lims]'"
        )
    verbs()
