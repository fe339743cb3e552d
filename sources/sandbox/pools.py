"""Values for records that are made up: awkward ones first, then ordinary ones by chance."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sources.sandbox import words
from sources.sandbox.definitions import Field
from sources.sandbox.values import TIMEZONES, Address, DateRange, Money, Time, TimeRange

POOL = 997
"""Most distinct values of a custom field."""

_AWKWARD: dict[str, Sequence[Any]] = {
    "varchar": [text[:255] for text in words.TEXTS],
    "varchar_auto": [text[:255] for text in words.TEXTS],
    "text": words.TEXTS,
    "phone": words.PHONES,
    "double": words.NUMBERS,
    "int": (0, -1, 2**31, 9_007_199_254_740_991),
    "monetary": [Money(Decimal(text), "EUR") for text in words.AMOUNTS],
    "date": words.DATES,
    "daterange": words.DATE_RANGES,
    "time": words.TIMES,
    "timerange": words.TIME_RANGES,
    "address": words.ADDRESSES,
}


class Chance:
    """Makes values up from one seeded generator.

    `references` are the ids that a user, people or org field can point at.
    """

    def __init__(
        self,
        seed: int | str,
        first_day: datetime,
        days: int,
        references: dict[str, Sequence[int]],
    ) -> None:
        self.random = random.Random(seed)
        self._first_day = first_day
        self._seconds = days * 86_400
        self._references = references

    def is_so(self, share: float) -> bool:
        """Give True with that probability."""
        return self.random.random() < share

    def pick(self, choices: Sequence[Any]) -> Any:
        """Give one of the choices, None of none."""
        return choices[int(self.random.random() * len(choices))] if choices else None

    def moment(self) -> datetime:
        """Give a time, in whole seconds, within the days."""
        return self._first_day + timedelta(seconds=int(self.random.random() * self._seconds))

    def money(self) -> Money:
        """Give an amount with cents, small ones more often."""
        cents = int(self.random.random() ** 3 * 10_000_000)
        return Money(Decimal(cents).scaleb(-2), self.pick(("EUR", "EUR", "USD", "GBP")))

    def address(self) -> Address:
        """Give an address, some of whose parts are missing."""
        if self.is_so(0.5):
            known: Address = self.pick(words.ADDRESSES)
            return known
        number = str(1 + int(self.random.random() * 400))
        text = f"{number} Harbour Lane, 1011 Tallinn"
        return Address(
            value=text,
            street_number=number,
            route="Harbour Lane",
            locality="Tallinn",
            country="Estonia",
            postal_code="1011",
            formatted_address=f"{text}, Estonia",
        )

    def pool(self, field: Field, count: int, turn: int) -> list[Any]:
        """Give values of a field for `count` records; none if it has nothing to refer to.

        `turn` makes fields of one type start with different awkward values.
        """
        awkward = _AWKWARD.get(field.field_type, ())
        start = turn % len(awkward) if awkward else 0
        size = max(20, min(count, POOL))
        ordinary = (self._value(field, n) for n in range(size))
        return [*awkward[start:], *awkward[:start], *(x for x in ordinary if x is not None)]

    def _value(self, field: Field, n: int) -> Any:
        match field.field_type:
            case "phone":
                return f"+372 5{n:03} {self.random.randrange(10_000):04}"
            case "double":
                return round(self.random.gauss(0, 1000), 3)
            case "int":
                return int(self.random.gauss(0, 1_000_000))
            case "monetary":
                return self.money()
            case "date":
                return self._date()
            case "daterange":
                first, last = sorted((self._date(), self._date()))
                return DateRange(first, last)
            case "time":
                return Time(self._clock(), self.pick(list(TIMEZONES)))
            case "timerange":
                first, last = sorted((self._clock(), self._clock()))
                return TimeRange(first, last, self.pick(list(TIMEZONES)))
            case "enum":
                return self.pick([option.id for option in field.options or ()])
            case "set":
                ids = [option.id for option in field.options or ()]
                return tuple(self.random.sample(ids, 1 + n % len(ids))) if ids else None
            case "user" | "people" | "org":
                return self.pick(self._references[field.field_type])
            case "address":
                return self.address()
            case _:
                return f"{self.pick(words.FIRST_NAMES)} {self.pick(words.LAST_NAMES)} {n}"

    def _date(self) -> str:
        return self.moment().date().isoformat()

    def _clock(self) -> str:
        return f"{self.random.randrange(24):02}:{self.random.randrange(60):02}:00"
