"""The account at its start: everything follows from the options, the seed among them."""

from datetime import datetime, timedelta
from itertools import cycle

from sources.sandbox import words
from sources.sandbox.account import Account
from sources.sandbox.definitions import BUILT_IN, BUILT_IN_OPTIONS, Field, Option
from sources.sandbox.options import SandboxOptions
from sources.sandbox.records import (
    Contact,
    Currency,
    Deal,
    Entity,
    Lead,
    LeadLabel,
    Organization,
    Person,
    User,
)
from sources.sandbox.seed_deals import DealSeeder, add_pipelines
from sources.sandbox.seeder import HISTORY, Seeder
from sources.sandbox.state import LEAD_SOURCES
from sources.sandbox.values import VALUE_TYPES


def seeded(options: SandboxOptions) -> Account:
    """Make the account that the options describe."""
    account = Account(options)
    start = account.now - timedelta(days=HISTORY)
    account.users = [
        User(25760681 + 17 * n, name, email, is_active=n < len(words.USERS) - 1)
        for n, (name, email) in enumerate(words.USERS)
    ]
    account.lead_labels = [
        LeadLabel(account.new_lead_id(), name, color, start) for name, color in words.LEAD_LABELS
    ]
    account.currencies = [Currency(n, *row) for n, row in enumerate(words.CURRENCIES, 1)]
    _define_built_in(account, start)
    _define_custom(account, start)
    add_pipelines(account, start)
    _Seeder(account, options.seed).fill()
    DealSeeder(account, f"{options.seed}/deals").fill()
    return account


def _define_built_in(account: Account, start: datetime) -> None:
    entities: tuple[Entity, ...] = ("person", "organization", "deal", "lead")
    for entity in entities:
        account.fields[entity] = []
        for key, name, field_type in BUILT_IN[entity]:
            account.last_field_id += 1
            options: list[Option] | None = None
            if entity == "lead" and key == "label_ids":
                options = [Option(x.id, x.name, x.color) for x in account.lead_labels]
            elif key in BUILT_IN_OPTIONS:
                options = []
                for label, color in BUILT_IN_OPTIONS[key]:
                    account.last_option_id += 1
                    options.append(Option(account.last_option_id, label, color))
            account.fields[entity].append(
                Field(
                    id=account.last_field_id,
                    key=key,
                    name=name,
                    field_type=field_type,
                    add_time=start,
                    is_custom=False,
                    options=options,
                )
            )


def _define_custom(account: Account, start: datetime) -> None:
    """Add one custom field of every type to every entity, and the many of persons."""
    clock, account.now = account.now, start
    ordinary = [(words.FIELD_NAMES[field_type], field_type) for field_type in VALUE_TYPES]
    awkward = list(words.AWKWARD_FIELD_NAMES)
    more = max(0, account.options.fields - len(ordinary) - len(awkward))
    extra = [
        (f"{name} {n}", x)
        for n, (name, x) in zip(range(2, more + 2), cycle(ordinary), strict=False)
    ]
    wanted: dict[Entity, list[tuple[str, str]]] = {
        "person": [*ordinary, *awkward, *extra],
        "organization": ordinary,
        "deal": ordinary,
    }
    for entity, fields in wanted.items():
        for name, field_type in fields:
            labels = list(words.OPTION_LABELS) if field_type in ("enum", "set") else None
            account.add_field(entity, name, field_type, labels)
    account.now = clock


class _Seeder(Seeder):
    """Fills an account with records, all from one generator of random numbers."""

    def fill(self) -> None:
        options = self.options
        self._organizations(options.organizations)
        self._persons(options.persons)
        self._deals(options.deals)
        self._leads(options.leads + options.archived_leads)
        self.set_custom("organization", list(self.account.organizations.values()))
        self.set_custom("person", list(self.account.persons.values()))
        self.set_custom("deal", list(self.account.deals.values()))
        self.set_custom("lead", list(self.account.leads.values()))

    def _organizations(self, count: int) -> None:
        industries = self.account.field("organization", "industry").options or []
        for number, (added, updated) in enumerate(self.times(count), 1):
            stem, end = self.pick(words.ORGANIZATION_STEMS), self.pick(words.ORGANIZATION_ENDS)
            is_rich = self.is_so(0.3)
            self.account.organizations[number] = Organization(
                id=number,
                name=f"{stem} {number} {end}".strip(),
                owner_id=self.pick(self.account.users).id,
                visible_to=self.pick((1, 3, 3, 3, 5, 7)),
                add_time=added,
                update_time=self.update_time(updated),
                label_ids=self.labels("organization"),
                address=self.address() if self.is_so(0.6) else None,
                website=f"https://www.example.com/{number}" if is_rich else None,
                linkedin=f"https://linkedin.com/company/{number}" if is_rich else None,
                industry=int(self.pick(industries).id) if is_rich else None,
                annual_revenue=number * 100_000 if is_rich else None,
                employee_count=number % 5000 if is_rich else None,
            )

    def _persons(self, count: int) -> None:
        for number, (added, updated) in enumerate(self.times(count), 1):
            first = self.pick(words.FIRST_NAMES)
            last = None if number % 17 == 4 else self.pick(words.LAST_NAMES)
            self.account.persons[number] = Person(
                id=number,
                name=f"{first} {last}" if last else first,
                first_name=first,
                last_name=last,
                owner_id=self.pick(self.account.users).id,
                visible_to=self.pick((1, 3, 3, 3, 5, 7)),
                organization_id=self.pick(self.organization_ids) if self.is_so(0.85) else None,
                add_time=added,
                update_time=self.update_time(updated),
                emails=self._contacts(f"person{number}.{{}}@example.com", 15, number),
                phones=self._contacts(f"+1 555 {number:06}-{{}}", 20, number),
                label_ids=self.labels("person"),
                picture_id=number + 100 if number % 9 == 0 else None,
            )

    def _contacts(self, pattern: str, most: int, number: int) -> list[Contact]:
        """Give none for one in five, `most` for one in ninety-nine, else one or two."""
        count = most if number % 99 == 7 else (0, 1, 1, 1, 2)[int(self.random.random() * 5)]
        labels = ("work", "home", "mobile", "other", 'my "own"', None)
        return [
            Contact(pattern.format(n), "work" if n == 0 else labels[(number + n) % 6], n == 0)
            for n in range(count)
        ]

    def _deals(self, count: int) -> None:
        """Add deals as far as they take part in this generator; `seed_deals` does the rest."""
        stage = self.account.first_stage()
        for number, (added, updated) in enumerate(self.times(count), 1):
            self.account.deals[number] = Deal(
                id=number,
                title=f"Deal {number}",
                creator_user_id=self.account.me.id,
                pipeline_id=stage.pipeline_id,
                stage_id=stage.id,
                owner_id=self.pick(self.account.users).id,
                add_time=added,
                update_time=updated,
                person_id=self.pick(self.person_ids),
                value=self.money(),
            )

    def _leads(self, count: int) -> None:
        labels = [label.id for label in self.account.lead_labels]
        channels = [int(x.id) for x in self.account.field("lead", "channel").options or ()]
        order = list(range(count))
        self.random.shuffle(order)
        for n, (added, updated) in zip(order, self.times(count), strict=True):
            is_archived = n < self.options.archived_leads
            is_from_api = self.is_so(0.3)
            is_import = added == updated
            millisecond = timedelta(milliseconds=0 if is_import else self.random.randrange(1000))
            person = self.pick(self.person_ids) if self.is_so(0.8) else None
            organization = (
                self.pick(self.organization_ids) if not person or self.is_so(0.5) else None
            )
            about = self.account.organizations[organization].name if organization else "a friend"
            lead_id = self.account.new_lead_id()
            archived = updated + millisecond
            if not self.options.archive_moves_update_time:
                archived += timedelta(hours=1)
            self.account.leads[lead_id] = Lead(
                id=lead_id,
                title=self.pick(words.LEAD_TITLES).format(about),
                owner_id=self.pick(self.account.users).id,
                creator_id=self.pick(self.account.users).id,
                person_id=person,
                organization_id=organization,
                label_ids=self.random.sample(labels, self.pick((0, 1, 1, 2))),
                value=self.money() if self.is_so(0.7) else None,
                expected_close_date=self.pick(words.DATES[:3]) if self.is_so(0.5) else None,
                next_activity_id=n + 1 if self.is_so(0.3) else None,
                is_archived=is_archived,
                archive_time=archived if is_archived else None,
                source_name="API" if is_from_api else self.pick(LEAD_SOURCES),
                origin="API" if is_from_api else "ManuallyCreated",
                origin_id=f"app-{n}" if is_from_api else None,
                channel=self.pick(channels) if self.is_so(0.5) else None,
                channel_id=f"campaign {n}" if self.is_so(0.2) else None,
                was_seen=self.is_so(0.5),
                visible_to=self.pick((1, 3, 3, 5, 7)),
                add_time=added + millisecond,
                update_time=updated + millisecond,
            )
