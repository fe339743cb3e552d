from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.config import check_place, environment_name, load_settings
from pipelines.config_values import KEYS
from pipelines.errors import ConfigError

TOKEN = "0123456789abcdef0123456789abcdef01234567"
OAUTH = tuple(
    f"SOURCES__PIPEDRIVE__{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
)


def write(folder: Path, config: str = "", secrets: str = "") -> Path:
    file = folder / "config.toml"
    file.write_text(config, "utf-8")
    if secrets:
        (folder / ".dlt").mkdir()
        (folder / ".dlt" / "secrets.toml").write_text(secrets, "utf-8")
    return file


def test_values_come_from_environment_over_secrets_over_file_over_default(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[sources.pipedrive]\ncompany_domain = "file"\npage_size = 100\noverlap = "1h"\n',
        f'[sources.pipedrive]\ncompany_domain = "secrets"\napi_token = "{TOKEN}"\n',
    )
    source = load_settings(file, {"SOURCES__PIPEDRIVE__PAGE_SIZE": "50"}).source
    assert source.page_size == 50
    assert source.company_domain == "secrets"
    assert source.overlap == timedelta(hours=1)
    assert source.package_rows == 50_000
    assert source.api_token == TOKEN


def test_every_key_can_be_set_by_its_variable(tmp_path: Path) -> None:
    examples = {
        "api": "collection",
        "start_date": "2024-01-31",
        "resources": '["persons"]',
        "entities": '["deals"]',
        "daily_reserve": "0.5",
        "max_share": "0.5",
        "max_rejected_share": "1",
        "memory_limit": "1GB",
        "oauth_url": "https://example.com/token",
        "webhook": "https://example.com/hook",
        "healthcheck": "https://example.com/ping",
        "on": "failure",
    }
    file = write(tmp_path)
    together = {name: "secret" for name in map(environment_name, KEYS) if name in OAUTH}
    for name in KEYS:
        last = name.rpartition(".")[2]
        given = {environment_name(name): examples.get(last, "7")}
        load_settings(file, together | given if environment_name(name) in OAUTH else given)


def test_a_list_in_a_variable_is_json_or_has_commas(tmp_path: Path) -> None:
    file = write(tmp_path)
    for text in ('["persons", "leads"]', "persons, leads"):
        env = {"SOURCES__PIPEDRIVE__RESOURCES": text}
        assert load_settings(file, env).source.resources == ("leads", "persons")


def test_histories_are_kept_of_no_entity_unless_named(tmp_path: Path) -> None:
    for value, history in (("[]", ()), ('["persons", "leads"]', ("leads", "persons"))):
        file = write(tmp_path, f"[history]\nentities = {value}\n")
        assert load_settings(file, {}).history == history
        assert load_settings(write(tmp_path), {"HISTORY__ENTITIES": value}).history == history
    assert load_settings(write(tmp_path), {}).history == ()
    with pytest.raises(ConfigError, match=r"history\.entities"):
        load_settings(write(tmp_path, '[history]\nentities = ["users"]\n'), {})


def test_all_problems_are_told_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[sources.pipedrive]\npage_sise = 5\napi = "v3"\n[warehous]\npath = "x"\n',
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {"WAREHOUSE__PTAH": "y"})
    told = caught.value.message
    assert "sources.pipedrive.page_sise" in told
    assert "Did you mean sources.pipedrive.page_size?" in told
    assert "'v3' is not one of auto, v2, collection" in told
    assert "Did you mean warehouse.path?" in told
    assert "warehouse.ptah (environment)" in told
    assert caught.value.exit_code == 2


def test_a_token_in_config_toml_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = write(tmp_path, f'[sources.pipedrive]\napi_token = "{TOKEN}"\n')
    with pytest.raises(ConfigError, match=r"\.dlt/secrets\.toml") as caught:
        load_settings(file, {})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.is_secret])
def test_every_secret_is_refused_in_config_toml_without_being_shown(
    tmp_path: Path, name: str
) -> None:
    section, _, key = name.rpartition(".")
    file = write(tmp_path, f'[{section}]\n{key} = "{TOKEN}"\n')
    with pytest.raises(ConfigError, match=rf"{key} is a secret") as caught:
        load_settings(file, {})
    assert TOKEN not in str(caught.value)


def test_a_token_and_an_oauth_app_at_once_are_a_problem_that_names_both_places(
    tmp_path: Path,
) -> None:
    file = write(
        tmp_path, secrets=f'[sources.pipedrive]\napi_token = "{TOKEN}"\nclient_id = "abc"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(file, dict.fromkeys(OAUTH[1:], "secret"))
    told = caught.value.message
    assert "sources.pipedrive.api_token (.dlt/secrets.toml)" in told
    assert "remove one" in told
    assert TOKEN not in told


@pytest.mark.parametrize("given", [OAUTH[:1], OAUTH[:2], OAUTH[1:]])
def test_an_oauth_app_that_is_half_given_is_a_problem(
    tmp_path: Path, given: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError, match="OAuth takes all three"):
        load_settings(write(tmp_path), dict.fromkeys(given, "secret"))
    settings = load_settings(write(tmp_path), dict.fromkeys(OAUTH, "not-to-be-shown"))
    assert settings.source.is_oauth
    assert "not-to-be-shown" not in repr(settings)


def test_addresses_that_are_told_how_runs_end_are_checked_and_never_shown(tmp_path: Path) -> None:
    file = write(tmp_path, '[notify]\nwebhook = "hooks.example.com/T0/B0/abcdefgh"\n')
    with pytest.raises(ConfigError, match=r"notify\.webhook .* is not an address") as caught:
        load_settings(file, {})
    assert "abcdefgh" not in caught.value.message
    url = "https://hooks.example.com/T0/B0/abcdefgh"
    settings = load_settings(
        write(tmp_path, f'[notify]\nwebhook = "{url}"\nmetrics = "data/x.prom"\n'),
        {"NOTIFY__ON": "failure,success"},
    )
    assert settings.notify.webhook == url
    assert settings.notify.metrics == tmp_path / "data" / "x.prom"
    assert settings.notify.on == ("success", "failure")
    assert "abcdefgh" not in repr(settings)


def test_where_each_key_came_from_is_known(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[sources.pipedrive]\npage_size = 100\noverlap = "1h"\n',
        f'[sources.pipedrive]\napi_token = "{TOKEN}"\n',
    )
    assert load_settings(file, {"SOURCES__PIPEDRIVE__PAGE_SIZE": "50"}).origins == {
        "sources.pipedrive.page_size": "SOURCES__PIPEDRIVE__PAGE_SIZE",
        "sources.pipedrive.overlap": "config.toml",
        "sources.pipedrive.api_token": ".dlt/secrets.toml",
    }


def test_the_token_is_not_in_the_repr_of_settings(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {"SOURCES__PIPEDRIVE__API_TOKEN": TOKEN})
    assert TOKEN not in repr(settings)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.warehouse.path == tmp_path / "data" / "warehouse.duckdb"


def test_without_a_file_the_environment_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(environment={"WAREHOUSE__PATH": "here.duckdb"})
    assert settings.file is None
    assert settings.warehouse.path == tmp_path / "here.duckdb"


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load_settings(tmp_path / "missing.toml", {})


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        load_settings(write(tmp_path, "[sources.pipedrive\n"), {})


def test_explicit_column_names_are_read_per_entity(tmp_path: Path) -> None:
    key = "ab" * 20
    file = write(tmp_path, f'[transforms.columns.persons]\n"{key}" = "cf_budget"\n')
    env = {f"TRANSFORMS__COLUMNS__LEADS__{key.upper()}": "cf_other"}
    columns = load_settings(file, env).columns
    assert columns["persons"] == {key: "cf_budget"}
    assert columns["leads"] == {key: "cf_other"}


def test_columns_of_an_unknown_entity_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, '[transforms.columns.person]\n"a" = "cf_a"\n')
    with pytest.raises(ConfigError, match=r"Did you mean transforms\.columns\.persons"):
        load_settings(file, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31T10:00:00+02:00", datetime(2024, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_start_date_is_utc(tmp_path: Path, text: str, expected: datetime | None) -> None:
    settings = load_settings(write(tmp_path), {"SOURCES__PIPEDRIVE__START_DATE": text})
    assert settings.source.start_date == expected


@pytest.mark.parametrize("text", ["", "5x", "ten minutes", "-1m"])
def test_a_duration_is_a_number_and_a_unit_or_empty(tmp_path: Path, text: str) -> None:
    env = {"SOURCES__PIPEDRIVE__OVERLAP": text}
    if text:
        with pytest.raises(ConfigError, match="a duration such as"):
            load_settings(write(tmp_path), env)
    else:
        assert load_settings(write(tmp_path), env).source.overlap == timedelta()


def test_the_shipped_file_holds_the_defaults_and_no_unknown_key() -> None:
    shipped = load_settings(Path(__file__).parents[2] / "config.toml", {})
    bare = load_settings(environment={"WAREHOUSE__PATH": "data/warehouse.duckdb"})
    assert shipped.source == bare.source


def test_tables_of_dlt_itself_are_left_to_dlt(tmp_path: Path) -> None:
    load_settings(write(tmp_path, "[runtime]\ndlthub_telemetry = false\n[load]\nworkers = 2\n"), {})


def test_the_published_file_cannot_be_the_working_one(tmp_path: Path) -> None:
    env = {"WAREHOUSE__PATH": "data/x.duckdb", "WAREHOUSE__PUBLISH": "./data/../data/x.duckdb"}
    with pytest.raises(ConfigError, match="must differ"):
        load_settings(write(tmp_path), env)


def test_a_folder_that_dlt_cannot_write_to_is_a_problem(tmp_path: Path) -> None:
    settings = load_settings(environment={"WAREHOUSE__PATH": str(tmp_path / "100%" / "w.duckdb")})
    with pytest.raises(ConfigError, match="has a % in its path"):
        check_place(settings)
