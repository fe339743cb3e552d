"""Words that accounts are made of, the awkward ones first: names, texts, options, currencies."""

from sources.sandbox.values import Address, DateRange, Time, TimeRange

FIRST_NAMES = (
    "Ana", "Björn", "Chloé", "Dagný", "Emeka", "Fatima", "Grace", "Hiroshi", "Ines", "Jürgen",
    "Kateryna", "Liam", "Mei", "Nadia", "Olu", "Priya", "Quentin", "Rosa", "Søren", "Tomás",
)  # fmt: skip
LAST_NAMES = (
    "O'Brien", "van der Berg", "Müller", "García", "Nguyễn", "Smith", "Kowalski", "Çelik",
    "Ivanova", "山田", "Okafor", "Sánchez-López", "Straßer", "Tamm", "Rossi", "Öztürk",
)  # fmt: skip
ORGANIZATION_STEMS = (
    "Acme", "Blau & Weiß", 'The "Duck" Company', "Côte d'Or", "Delta Freight", "Eesti Metall",
    "Fjord Data", "Grünwald", "Harbour, Lane", "Indigo Labs", "Jumbo\u200b Toys", "Køkken",
)  # fmt: skip
ORGANIZATION_ENDS = ("GmbH", "Ltd", "OÜ", "Inc.", "S.A.", "")
LEAD_TITLES = (
    "{} — new website", "{}: 20 seats", "{} / renewal", "Trial of {}", "{} asked for a price",
    "Demo for {} 🚀", "{} (from the fair)",
)  # fmt: skip

PIPELINES = (
    ("Sales", ("Qualified", "Contact made", "Demo scheduled", "Proposal made", "Negotiations")),
    ('Renewals & "upsell"', ("Up for renewal", "Négociation — prix", "Negotiations")),
)
"""Names of pipelines and of their stages, one of which is in both."""
LOST_REASONS = ("Too expensive", 'Went with "the other one", again', "Chose to wait; ünknown")

USERS = (
    ("Grace Hopper", "grace@example.com"),
    ("Jürgen Straßer", "juergen@example.com"),
    ('Zoë "Zed" O\'Neil', "zoe@example.com"),
    ("Former Colleague", "former@example.com"),
)
"""Name and e-mail; the first one has the token, the last one is deactivated."""

LEAD_LABELS = (("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue"), ('"Later", maybe', "gray"))
CURRENCIES = (
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "$"),
    ("GBP", "British Pound Sterling", 2, "£"),
    ("JPY", "Japanese Yen", 0, "¥"),
    ("KWD", "Kuwaiti Dinar", 3, "KD"),
)

TEXTS = (
    "00123",
    "line one\nline two\r\nline three\ttabbed",
    "she said \"no\", he said 'yes'; \\ backslash",
    "🚀 naïve café — 日本語 — שלום",
    "  spaces around  ",
    "null",
    "{\"looks\": 'like json'}",
    "=1+1",
    "-- drop table crm.persons; %s {} $1",
    "a very long text: " + "lorem ipsum dolor sit amet " * 120,
)
PHONES = ("+44 20 7946 0958", "0049 (0)30 901820", "00123", "ext. 12 #3")
AMOUNTS = ("9999999999.99", "-1234.56", "0.01", "0", "15000", "0.1", "-0.05", "1234567.89")
NUMBERS = (0.1, -273.15, 3.141592653589793, 42, 0, 1e-07, 1234567.891, -1)
DATES = ("2024-02-29", "1999-12-31", "2026-01-01", "1970-01-01", "2000-02-29", "9999-12-31")
DATE_RANGES = (DateRange("2024-02-28", "2024-03-01"), DateRange("2025-12-31", "2026-01-01"))
TIMES = (Time("00:00:00", 182), Time("23:59:59", 166), Time("09:30:00", 110))
TIME_RANGES = (TimeRange("08:00:00", "16:30:00", 110), TimeRange("22:00:00", "06:00:00", 31))
ADDRESSES = (
    Address(
        value="Mustamäe tee 3a, 10615 Tallinn",
        street_number="3a",
        route="Mustamäe tee",
        sublocality="Kristiine",
        locality="Tallinn",
        admin_area_level_1="Harju maakond",
        country="Estonia",
        postal_code="10615",
        formatted_address="Mustamäe tee 3a, 10615 Tallinn, Estonia",
    ),
    Address(
        value="Flat 2, 221b Baker St",
        subpremise="Flat 2",
        street_number="221b",
        route="Baker Street",
        sublocality="Marylebone",
        locality="London",
        admin_area_level_1="England",
        admin_area_level_2="Greater London",
        country="United Kingdom",
        postal_code="NW1 6XE",
        formatted_address="Flat 2, 221b Baker Street, London NW1 6XE, UK",
    ),
    Address(value='somewhere "near", the\nharbour'),
)
OPTION_LABELS = (
    "Small",
    'with "quotes"',
    "a, comma",
    "ümlaut & €",
    "🚀🔥",
    "it's 100%; drop table",
    "Large",
)

FIELD_NAMES = {
    "varchar": "Nickname",
    "varchar_auto": "Referral code",
    "text": "Background",
    "phone": "Direct line",
    "double": "Score",
    "int": "Visits",
    "monetary": "Yearly budget",
    "date": "Contract date",
    "daterange": "Trial period",
    "time": "Best time to call",
    "timerange": "Office hours",
    "enum": "Segment",
    "set": "Interests",
    "user": "Account manager",
    "people": "Introduced by",
    "org": "Parent company",
    "address": "Delivery address",
}
"""Names of the custom fields that every entity has, one of each type."""

AWKWARD_FIELD_NAMES = (
    ("Budget", "monetary"),
    ("Budget", "monetary"),
    ("Name", "varchar"),
    ('"; drop table', "varchar"),
    ("🚀🔥", "enum"),
    ("An unreasonably long name " + "x" * 229, "text"),
    ("Größe in m² / Straße €", "double"),
)
"""Further names of persons' custom fields; the long one has 255 characters."""
