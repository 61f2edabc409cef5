"""Which words of a reader mean a SARS-CoV-2 antigen, and what its answers mean."""

import pytest

from lims.domain.antigen import is_antigen, outcome_said
from lims.domain.interpretation import assay_named
from lims.domain.rapid_test import RapidOutcome


@pytest.mark.parametrize(
    "assay",
    [
        "COVID-19 Ag",
        "SARS-CoV-2 Ag",
        "STANDARD F COVID-19 Ag FIA",
        "94558-4",
        "95209-3",
        "Sofia SARS^SARS",
        "Sofia 2 Flu + SARS^SARS",
        "SARS Antigen FIA^SARS-CoV-2",
        " covid-19   ag ",
    ],
)
def test_an_antigen_of_a_reader_is_known(assay: str) -> None:
    assert is_antigen(assay)


@pytest.mark.parametrize(
    "assay",
    [
        "SARS-CoV-2",
        "SARS2",
        "^^^SARS-COV-2",
        "Xpert Xpress SARS-CoV-2^SARS-CoV-2",
        "Sofia 2 Flu + SARS^Flu A",
        "Influenza A Ag",
        "COVID-19 IgG",
        "Magnesium^SARS-CoV-2",
        "",
    ],
)
def test_a_pcr_an_influenza_or_an_antibody_is_none(assay: str) -> None:
    assert not is_antigen(assay)


def test_a_reader_that_names_the_virus_alone_would_else_pass_for_a_pcr() -> None:
    assert assay_named("Sofia SARS^SARS-CoV-2") == "sars-cov-2"
    assert is_antigen("Sofia SARS^SARS-CoV-2")


@pytest.mark.parametrize(
    ("calls", "error", "outcome"),
    [
        (["positive"], None, RapidOutcome.POSITIVE),
        (["Negative", "0.12 COI"], None, RapidOutcome.NEGATIVE),
        (["Dương tính"], None, RapidOutcome.POSITIVE),
        (["Invalid"], None, RapidOutcome.INVALID),
        (["negative"], "the cassette was pulled out", RapidOutcome.INVALID),
        (["positive", "negative"], None, None),
        (["positive", "weak"], None, None),
        (["1.2 COI"], None, None),
        ([], None, None),
    ],
)
def test_what_the_calls_mean_together(
    calls: list[str], error: str | None, outcome: RapidOutcome | None
) -> None:
    assert outcome_said(calls, error) is outcome
