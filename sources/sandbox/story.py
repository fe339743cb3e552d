"""A few days in the life of an account: changes of every kind, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sources.sandbox.account import Account

Chapter = Callable[["Account", Any], str]
"""Makes one change and says what happened; the second argument is the chosen record."""


def live(account: Account, changes: int) -> list[str]:
    """Make that many changes and give one plain sentence for each.

    Kinds of changes take turns; one that finds nothing to change is passed over.
    """
    chance = random.Random(f"{account.options.seed}/{account.revision}")
    sentences: list[str] = []
    turn = misses = 0
    while len(sentences) < changes and misses < len(_CHAPTERS):
        choose, tell = _CHAPTERS[turn % len(_CHAPTERS)]
        turn += 1
        candidates = choose(account)
        if not candidates:
            misses += 1
            continue
        misses = 0
        sentences.append(tell(account, chance.choice(candidates)))
        account.advance(chance.randrange(60, 7200))
    return sentences


def _open_leads(account: Account) -> list[Any]:
    return [lead for lead in account.visible("lead") if not lead.is_archived]


def _archived_leads(account: Account) -> list[Any]:
    return [lead for lead in account.visible("lead") if lead.is_archived]


def _persons(account: Account) -> list[Any]:
    return account.visible("person")


def _pairs(account: Account) -> list[Any]:
    persons = account.visible("person")
    return list(zip(persons[1:], persons, strict=False))


def _organizations(account: Account) -> list[Any]:
    return account.visible("organization")


def _enums(account: Account) -> list[Any]:
    return [field for field in account.custom_fields("person") if field.options]


def _texts(account: Account) -> list[Any]:
    return [field for field in account.custom_fields("deal") if field.field_type == "varchar"]


def _open_deals(account: Account) -> list[Any]:
    deals = account.visible("deal")
    return [deal for deal in deals if deal.status == "open" and not deal.is_archived]


def _closed_deals(account: Account) -> list[Any]:
    deals = account.visible("deal")
    return [deal for deal in deals if deal.status != "open" and not deal.is_archived]


def _one(_: Account) -> list[Any]:
    return [None]


def _archive(account: Account, lead: Any) -> str:
    account.archive_lead(lead.id)
    return f"archived the lead {lead.title!r}"


def _reprice(account: Account, lead: Any) -> str:
    account.edit("lead", lead.id, value={"amount": "4999.90", "currency": "EUR"}, was_seen=True)
    return f"set the value of the lead {lead.title!r} to 4999.90 EUR"


def _unarchive(account: Account, lead: Any) -> str:
    account.unarchive_lead(lead.id)
    return f"took the lead {lead.title!r} out of the archive"


def _rename_person(account: Account, person: Any) -> str:
    old, name = person.name, f"{person.first_name} Newname"
    account.edit("person", person.id, name=name, last_name="Newname")
    return f"renamed the person {old!r} to {name!r}"


def _create_lead(account: Account, _: Any) -> str:
    person = next(iter(account.visible("person")), None)
    title = f"Lead that came in at {account.now:%H:%M}"
    account.create("lead", title=title, person_id=person.id if person else None)
    return f"created the lead {title!r}"


def _move(account: Account, organization: Any) -> str:
    address = {"value": "1 Duck Pond, Tartu", "locality": "Tartu", "country": "Estonia"}
    account.edit("organization", organization.id, address=address)
    return f"moved the organization {organization.name!r} to Tartu"


def _convert(account: Account, lead: Any) -> str:
    deal_id = account.convert_lead(lead.id)
    return f"converted the lead {lead.title!r} to deal {deal_id}"


def _rename_option(account: Account, field: Any) -> str:
    option = field.options[0]
    old, label = option.label, f"{option.label} (new)"
    account.rename_option("person", field.key, option.id, label)
    return f"renamed the option {old!r} of the person field {field.name!r} to {label!r}"


def _delete_person(account: Account, person: Any) -> str:
    account.delete("person", person.id)
    return f"deleted the person {person.name!r}"


def _rename_field(account: Account, field: Any) -> str:
    old, name = field.name, f"{field.name}, renamed"
    account.rename_field("deal", field.key, name)
    return f"renamed the lead field {old!r} to {name!r}"


def _merge(account: Account, pair: Any) -> str:
    loser, survivor = pair
    account.merge("person", loser.id, survivor.id)
    return f"merged the person {loser.name!r} into {survivor.name!r}"


def _delete_lead(account: Account, lead: Any) -> str:
    account.delete("lead", lead.id)
    return f"deleted the lead {lead.title!r}"


def _win(account: Account, deal: Any) -> str:
    account.edit("deal", deal.id, status="won")
    return f"won the deal {deal.title!r}"


def _archive_deal(account: Account, deal: Any) -> str:
    account.archive_deal(deal.id)
    return f"archived the deal {deal.title!r}"


_CHAPTERS: tuple[tuple[Callable[[Account], list[Any]], Chapter], ...] = (
    (_open_leads, _archive),
    (_open_leads, _reprice),
    (_archived_leads, _unarchive),
    (_persons, _rename_person),
    (_one, _create_lead),
    (_organizations, _move),
    (_open_leads, _convert),
    (_enums, _rename_option),
    (_persons, _delete_person),
    (_texts, _rename_field),
    (_pairs, _merge),
    (_open_leads, _delete_lead),
    (_open_deals, _win),
    (_closed_deals, _archive_deal),
)
