"""The day's balance as answers tell it, in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.pipedrive.budget import LIMIT, REMAINING, Budget, DailyBudget, Spending
from sources.pipedrive.errors import BudgetSpent
from sources.pipedrive.transport import Response


def told(remaining: int, status: int = 200, limit: int = 1_000) -> Response:
    return Response(status, {LIMIT: str(limit), REMAINING: str(remaining)}, b"")


def test_an_answer_that_was_overtaken_does_not_raise_the_balance() -> None:
    budget = Budget()
    budget.settle(budget.take(10), told(1_000))
    first, second, third = (budget.take(10) for _ in range(3))
    budget.settle(first, told(980))  # the server took the third before the first
    budget.settle(second, told(970))
    budget.settle(third, told(990))
    assert budget.daily == DailyBudget(1_000, 960)


def test_a_refill_is_noticed_though_requests_overlap() -> None:
    budget = Budget()
    budget.settle(budget.take(10), told(50))
    first, second = budget.take(10), budget.take(10)
    budget.settle(second, told(990))
    budget.settle(first, told(1_000))
    assert budget.daily == DailyBudget(1_000, 980)


@pytest.mark.parametrize(
    "headers",
    [{}, {LIMIT: "1000"}, {REMAINING: "5"}, {LIMIT: "many", REMAINING: "-3"}, {LIMIT: "", "x": ""}],
)
def test_headers_that_do_not_tell_stop_nobody(headers: dict[str, str]) -> None:
    budget = Budget(0.9)
    budget.settle(budget.take(10), Response(200, headers, b""))
    assert budget.daily is None
    budget.take(10_000)


@dataclass
class Server:
    """A day's tokens, and what each request was told and charged."""

    balance: int
    answers: dict[int, int] = field(default_factory=dict)

    def serve(self, number: int, cost: int, is_charged: bool) -> None:
        self.answers[number] = self.balance
        self.balance -= cost if is_charged else 0


@given(
    st.integers(102, 300),
    st.lists(
        st.tuples(
            st.sampled_from(["send", "serve", "answer"]),
            st.integers(0, 5),  # which of the requests on their way
            st.sampled_from([1, 2, 10, 20, 40]),
            st.sampled_from(["fine", "fine", "lost", "refused", "silent"]),
        ),
        max_size=120,
    ),
)
def test_the_reserve_is_never_undercut_in_any_order_of_sending_serving_and_answering(
    start: int, events: list[tuple[str, int, int, str]]
) -> None:
    server, budget = Server(start), Budget(0.1)
    opening = budget.take(2)
    server.serve(0, 2, is_charged=True)
    budget.settle(opening, told(start))
    sent: list[tuple[int, int, str, Spending]] = []
    for number, (event, which, cost, outcome) in enumerate(events, start=1):
        if event == "send" and len(sent) < 4:
            try:
                sent.append((number, cost, outcome, budget.take(cost)))
            except BudgetSpent:
                continue
        elif sent and event != "send":
            known, price, outcome, spending = sent[which % len(sent)]
            if known not in server.answers:
                server.serve(known, price, is_charged=outcome != "refused")
            if event == "answer":
                sent.remove((known, price, outcome, spending))
                answers = {
                    "fine": told(server.answers[known]),
                    "refused": told(server.answers[known], status=500),
                    "silent": Response(200, {}, b""),
                    "lost": None,
                }
                budget.settle(spending, answers[outcome])
        assert server.balance >= 100
