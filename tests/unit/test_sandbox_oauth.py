"""The sandbox's token endpoint, as the documentation and the options have it."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

from sandbox_client import Reply, ask, do

from sources.sandbox import Sandbox


def refresh(box: Sandbox, token: str | None = None, secret: str | None = None) -> Reply:

    app = f"{box.oauth.client_id}:{secret or box.oauth.client_secret}"
    form = {"grant_type": "refresh_token", "refresh_token": token or box.oauth.refresh_token}
    request = urllib.request.Request(
        f"{box.url}/oauth/token",
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(app.encode()).decode()}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def me(box: Sandbox, token: str) -> int:
    return ask(f"{box.url}/v1/users/me", {"Authorization": f"Bearer {token}"}).status


def test_a_refresh_token_gives_an_access_token_that_ends_by_the_accounts_clock() -> None:
    with Sandbox(oauth_expires_in=100) as box:
        answer = refresh(box).json
        assert answer["token_type"] == "Bearer"
        assert answer["expires_in"] == 100
        assert answer["api_domain"] == box.url
        assert answer["refresh_token"] == box.oauth.refresh_token
        assert me(box, answer["access_token"]) == 200
        box.account.advance(101)
        assert me(box, answer["access_token"]) == 401
        assert me(box, box.oauth_token) == 200


def test_it_can_end_after_some_requests_or_at_once() -> None:
    with Sandbox(oauth_requests=2) as box:
        token = refresh(box).json["access_token"]
        assert [me(box, token) for _ in range(3)] == [200, 200, 401]
        token = refresh(box).json["access_token"]
        do(box, "expire_access_tokens")
        assert me(box, token) == 401


def test_refresh_tokens_can_rotate() -> None:
    with Sandbox(oauth_rotates=True) as box:
        first = box.oauth.refresh_token
        second = refresh(box).json["refresh_token"]
        assert second != first
        assert refresh(box, first).json["error"] == "invalid_grant"
        assert refresh(box, second).status == 200


def test_what_is_wrong_is_refused_in_the_standards_words() -> None:
    with Sandbox() as box:
        assert (refresh(box, secret="wrong").status, refresh(box, "wrong").status) == (401, 400)
        assert refresh(box, secret="wrong").json["error"] == "invalid_client"
        do(box, "revoke_refresh_token")
        assert refresh(box).json["error"] == "invalid_grant"


def test_the_log_holds_no_token() -> None:
    with Sandbox(oauth_rotates=True) as box:
        first = box.oauth.refresh_token
        answer = refresh(box).json
        log = ask(f"{box.url}/_sandbox/requests").body.decode()
        assert json.loads(log)[0]["path"] == "/oauth/token"
        assert not [x for x in (first, answer["access_token"], answer["refresh_token"]) if x in log]
