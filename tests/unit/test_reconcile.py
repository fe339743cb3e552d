"""When a whole list is believed to say that rows are gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from warehouse.reconcile import Evidence, Limits, Part, find_refusal

FEW = Evidence("persons", listed=95, live=100, absent=5)
MANY = Evidence("persons", listed=40, live=100, absent=60)
DOUBT = "a full page did not say whether it was the last"


def refusal(evidence: Evidence, *, is_accepted: bool = False) -> str:
    found = find_refusal(evidence, Limits(), is_accepted=is_accepted)
    return found.text if found else ""


def test_a_few_absent_rows_are_believed() -> None:
    assert not refusal(FEW)


@pytest.mark.parametrize(
    ("live", "absent", "is_refused"),
    [
        (100, 20, False),  # a fifth, but no more than 20 rows
        (100, 21, True),
        (1000, 100, False),  # many rows, but no more than a tenth
        (1000, 101, True),
    ],
)
def test_more_than_the_share_and_more_than_the_rows_are_refused(
    live: int, absent: int, is_refused: bool
) -> None:
    evidence = Evidence("persons", listed=live - absent, live=live, absent=absent)
    assert bool(refusal(evidence)) is is_refused


def test_a_list_of_two_that_vanishes_is_refused_though_the_other_is_large() -> None:
    parts = (Part("leads", live=40, absent=30), Part("archived_leads", live=5000, absent=0))
    evidence = Evidence("leads", listed=5010, live=5040, absent=30, parts=parts)
    assert "75% of leads" in refusal(replace(evidence, table="all leads"))
    assert refusal(evidence)


def test_the_sentence_says_how_many_and_why() -> None:
    said = refusal(MANY)
    assert "60 of 100 persons" in said
    assert "60%" in said
    assert "nothing is marked as deleted" in said


def test_somebody_may_say_that_they_are_gone() -> None:
    assert not refusal(MANY, is_accepted=True)


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (replace(FEW, rights="the token's user is Bo now"), "Bo now"),
        (replace(FEW, empty="persons"), "list of persons is empty"),
        (replace(FEW, doubt=DOUBT), DOUBT),
    ],
)
def test_doubtful_lists_are_refused_however_few_rows_are_absent(
    evidence: Evidence, words: str
) -> None:
    assert words in refusal(evidence)


def test_a_list_that_may_not_be_whole_is_no_evidence_even_if_accepted() -> None:
    assert refusal(replace(FEW, doubt=DOUBT), is_accepted=True)
    found = find_refusal(replace(FEW, doubt=DOUBT), Limits())
    assert found
    assert not found.can_be_accepted


def test_nothing_absent_is_nothing_to_refuse() -> None:
    evidence = replace(FEW, absent=0, rights="other", empty="persons", doubt=DOUBT)
    assert not refusal(evidence)
