from __future__ import annotations

import pytest

from sources.pipedrive.errors import Misconfigured
from sources.pipedrive.hosts import find_host


@pytest.mark.parametrize("company", ["acme", "acme.pipedrive.com", "https://acme.pipedrive.com/"])
def test_a_company_host_serves_v1_under_api(company: str) -> None:
    host = find_host(company, "")
    assert host.url == "https://acme.pipedrive.com"
    assert host.v1_prefixes == ("/api/v1",)


def test_the_shared_host_serves_v1_without_api() -> None:
    assert find_host("", "https://api.pipedrive.com/").v1_prefixes == ("/v1",)


def test_base_url_wins_and_may_imitate_either() -> None:
    host = find_host("acme", "http://127.0.0.1:8899/")
    assert host.url == "http://127.0.0.1:8899"
    assert set(host.v1_prefixes) == {"/v1", "/api/v1"}


@pytest.mark.parametrize(
    ("company", "base_url"),
    [
        ("", ""),
        ("ac me", ""),
        ("acme/../x", ""),
        ("", "127.0.0.1:8899"),
        ("", "ftp://acme"),
        ("", "https://user:secret@acme.pipedrive.com"),
        ("", "https://acme.pipedrive.com?api_token=1"),
    ],
)
def test_what_is_no_address_is_refused_with_a_hint(company: str, base_url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        find_host(company, base_url)
    assert caught.value.hint
    assert "secret" not in caught.value.message
