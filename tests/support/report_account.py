"""An account whose leads come, are archived, become deals and are won: for the report."""

from __future__ import annotations

import random

from sources.sandbox import Account

_SOURCES = ("Web forms", "Live chat", "Manually created", "Import", "API")


def live_on(account: Account, days: int, leads: int, seed: int = 7) -> None:
    """Let that many days pass, with up to `leads` new leads on each, and some that end."""
    chance = random.Random(seed)
    labels = [label.id for label in account.lead_labels]
    owners = [user.id for user in account.users]
    for _ in range(days):
        account.advance(86_400 - 3_600)
        for _ in range(chance.randrange(leads + 1)):
            amount = f"{chance.randrange(500, 40_000)}.{chance.randrange(100):02}"
            account.create(
                "lead",
                title=f"Lead of {account.now.day} {account.now:%B}",
                owner_id=chance.choice(owners),
                label_ids=chance.sample(labels, chance.randrange(3)),
                source_name=chance.choice(_SOURCES),
                value={"amount": amount, "currency": chance.choice(("EUR", "EUR", "USD"))},
                was_seen=chance.random() < 0.6,
            )
        for _ in range(max(1, leads // 3)):
            _end_one(account, chance)


def _end_one(account: Account, chance: random.Random) -> None:
    """Archive a lead, make a deal of one, or close a deal; sooner the young ones."""
    leads = [lead for lead in account.visible("lead") if not lead.is_archived]
    lead = max(chance.sample(leads, min(4, len(leads))), key=lambda one: one.add_time)
    draw = chance.random()
    if draw < 0.4:
        account.archive_lead(lead.id)
    elif draw < 0.75:
        account.convert_lead(lead.id)
    deals = [
        deal
        for deal in account.visible("deal")
        if deal.status == "open" and deal.source_lead_id and not deal.is_archived
    ]
    if deals and draw > 0.5:
        status = "won" if chance.random() < 0.6 else "lost"
        account.edit("deal", chance.choice(deals).id, status=status)
