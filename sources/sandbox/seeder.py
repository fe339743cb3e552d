"""What seeding of every kind of record shares."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from sources.sandbox.account import Account
from sources.sandbox.pools import Chance
from sources.sandbox.records import Entity

HISTORY = 730
"""Days before the clock's start in which the records were added."""


class Seeder(Chance):
    """Makes records of an account up, all from one generator of random numbers."""

    def __init__(self, account: Account, seed: int | str) -> None:
        self.account = account
        self.options = account.options
        self.person_ids = range(1, self.options.persons + 1)
        self.organization_ids = range(1, self.options.organizations + 1)
        super().__init__(
            seed,
            account.now - timedelta(days=HISTORY),
            HISTORY - 1,
            {
                "user": [user.id for user in account.users],
                "people": self.person_ids,
                "org": self.organization_ids,
            },
        )

    def times(self, count: int) -> list[tuple[datetime, datetime]]:
        """Give add and update times in creation order.

        The middle tenth is an import whose rows all share one second; of the others one in ten
        was updated in the same second as the row before.
        """
        added = sorted(self.moment() for _ in range(count))
        first, last = count * 45 // 100, count * 55 // 100
        end = self.account.now - timedelta(days=1)
        times: list[tuple[datetime, datetime]] = []
        for n, add in enumerate(added):
            if first <= n < last:
                times.append((added[first], added[first]))
            elif times and self.is_so(0.1) and times[-1][1] >= add:
                times.append((add, times[-1][1]))
            elif self.is_so(0.3):
                times.append((add, add))
            else:
                room = int((end - add).total_seconds())
                times.append((add, add + timedelta(seconds=int(self.random.random() * room))))
        return times

    def update_time(self, moment: datetime) -> datetime | None:
        """Give the moment, or None for the share of records that the options want without."""
        share = self.options.null_update_time
        return None if share and self.is_so(share) else moment

    def labels(self, entity: Entity) -> list[int]:
        """Give up to two of the options of an entity's labels, none half of the time."""
        options = self.account.field(entity, "label_ids").options or []
        count = int(self.random.random() * 4) - 1
        chosen = self.random.sample(options, count) if count > 0 else []
        return [int(option.id) for option in chosen]

    def set_custom(self, entity: Entity, records: Sequence[Any]) -> None:
        """Give each record about half of the custom fields: the first one all, the second none.

        The n-th value of a field is the n-th of its pool, so that the awkward values, which come
        first, are there in small accounts too.
        """
        fields = self.account.custom_fields(entity)
        pools = [
            (field.key, self.pool(field, len(records), turn)) for turn, field in enumerate(fields)
        ]
        takers = [(key, cycle(pool)) for key, pool in pools if pool]
        size = len(takers)
        everything = (1 << size) - 1
        for number, record in enumerate(records):
            mask = (everything, 0)[number] if number < 2 else self.random.getrandbits(size)
            custom = record.custom
            for bit, (key, pool) in enumerate(takers):
                if mask >> bit & 1:
                    custom[key] = next(pool)
