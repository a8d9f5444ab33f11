"""Commands over users and tokens."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Inputs, Row, in_transaction

from crm_core import access

#: Where there is one administrator left, nobody else is signed in who may.
_NOBODY_ELSE = frozenset({"domain", "api", "cli"})
_UNKNOWN = Case("unknown", {"user": "999999"}, "user_unknown")
_LAST = (
    "UPDATE app_user SET role = 'head' WHERE role = 'admin'",
    "UPDATE app_user SET role = 'admin' WHERE id = :user",
)

#: What everybody may, about themselves: a program is nobody.
_ONES_OWN = frozenset({"domain", "console"})
_PASSWORD = "correct horse battery"


def _whose(principal: access.Principal, inputs: Inputs) -> int:
    return principal.id if "own" in inputs else int(inputs["user"])


ROWS = (
    Row(
        access.set_locale,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.set_locale(connection, principal, _whose(principal, i), i["locale"])
        ),
        console=lambda i: (i["own"], {"locale": i["locale"]}),
        again="idle",
        cases=(
            Case("another's", {"locale": "ru"}, doors=frozenset({"domain"})),
            Case("one's own", {"own": "/language", "locale": "ru"}, role="readonly", doors=_ONES_OWN),
            Case("one that there is not", {"own": "/language", "locale": "xx"}, "locale", doors=_ONES_OWN),
        ),
    ),
    Row(
        access.add_user,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.make_link(
                connection,
                principal,
                access.add_user(connection, principal, i["login"], "Vera", "ops"),
                datetime.now(UTC),
            )
        ),
        api=lambda i: ("POST", "/users", {"login": i["login"], "name": "Vera", "role": "ops"}),
        console=lambda i: ("/users", {"login": i["login"], "name": "Vera", "role": "ops", "owner": ""}),
        cli=lambda i: ("user", "add", i["login"], "--name", "Vera", "--role", "ops"),
        again="login_taken",
        cases=(
            Case("somebody new", {"login": "Vera@Example.com"}),
            Case("a login that is taken", {"login": "ANNA@example.com"}, "login_taken"),
            Case("no login", {"login": " "}, "login"),
        ),
    ),
    Row(
        access.change_user,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.change_user(connection, principal, int(i["user"]), {"role": "ops"})
        ),
        api=lambda i: ("PATCH", f"/users/{i['user']}", {"role": "ops"}),
        console=lambda i: (f"/users/{i['user']}", {"role": "ops", "owner": i["anna"]}),
        cli=lambda i: ("user", "role", i["user"], "ops"),
        again="idle",
        cases=(
            Case("another role"),
            Case("of an administrator", before=("UPDATE app_user SET role = 'admin' WHERE id = :user",)),
            Case("of the last administrator", {}, "last_administrator", before=_LAST, doors=_NOBODY_ELSE),
            _UNKNOWN,
        ),
    ),
    Row(
        access.disable_user,
        "users.write",
        in_transaction(lambda connection, _hub, principal, i: access.disable_user(connection, principal, int(i["user"]))),
        api=lambda i: ("POST", f"/users/{i['user']}/disable", None),
        console=lambda i: (f"/users/{i['user']}/active", {"active": "no"}),
        cli=lambda i: ("user", "disable", i["user"]),
        again="idle",
        cases=(
            Case("one of many"),
            Case("with a token of theirs", before=("UPDATE api_token SET created_by = 'user:' || :user WHERE id = :spare_token",)),
            Case("the last administrator", {}, "last_administrator", before=_LAST, doors=_NOBODY_ELSE),
            _UNKNOWN,
        ),
    ),
    Row(
        access.disable_user,
        "users.write",
        in_transaction(lambda connection, _hub, principal, i: access.disable_user(connection, principal, int(i["user"]))),
        api=lambda i: ("DELETE", f"/users/{i['user']}", None),
        again="idle",
        cases=(Case("one of many"), _UNKNOWN),
    ),
    Row(
        access.change_user,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.change_user(
                connection, principal, int(i["user"]), {"owner_id": int(i["boris"])}
            )
        ),
        api=lambda i: ("PATCH", f"/users/{i['user']}", {"owner": i["boris"]}),
        console=lambda i: (f"/users/{i['user']}", {"role": "manager", "owner": i["boris"]}),
        cli=lambda i: ("user", "owner", i["user"], i["boris"]),
        again="idle",
        cases=(
            Case("another owner"),
            Case("an owner that there is not", {"boris": "999999"}, "unknown_owner"),
            Case("an owner who was retired", {}, "owner_retired", before=("UPDATE owner SET active = false WHERE id = :boris",)),
            _UNKNOWN,
        ),
    ),
    Row(
        access.enable_user,
        "users.write",
        in_transaction(lambda connection, _hub, principal, i: access.enable_user(connection, principal, int(i["user"]))),
        api=lambda i: ("POST", f"/users/{i['user']}/enable", None),
        console=lambda i: (f"/users/{i['user']}/active", {"active": "yes"}),
        cli=lambda i: ("user", "enable", i["user"]),
        again="idle",
        cases=(
            Case("disabled", before=("UPDATE app_user SET active = false WHERE id = :user",)),
            Case("enabled already", idle=True),
            Case(
                "whose owner was retired", {}, "owner_retired",
                before=("UPDATE app_user SET active = false WHERE id = :user", "UPDATE owner SET active = false WHERE id = :anna"),
            ),
            _UNKNOWN,
        ),
    ),
    Row(
        access.set_password,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.set_password(
                connection, principal, _whose(principal, i), access.hash_password(_PASSWORD)
            )
        ),
        api=lambda i: ("POST", f"/users/{i['user']}/password", {"password": _PASSWORD}),
        console=lambda i: (i.get("own", f"/users/{i['user']}/password"), {"password": _PASSWORD, "again": _PASSWORD}),
        cli=lambda i: ("user", "password", i["user"], "--password", "-"),
        stdin=f"{_PASSWORD}\n",
        again="more",
        cases=(
            Case("a new one"),
            Case("one's own", {"own": "/account/password"}, role="readonly", doors=_ONES_OWN),
            Case("one's own, the first", {"own": "/account/first-password"}, role="manager", doors=_ONES_OWN),
            _UNKNOWN,
        ),
    ),
    Row(
        access.sign_out_everywhere,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.sign_out_everywhere(connection, principal, _whose(principal, i))
        ),
        api=lambda i: ("POST", f"/users/{i['user']}/sign-out", None),
        console=lambda i: (i.get("own", f"/users/{i['user']}/sign-out"), {}),
        cli=lambda i: ("user", "sign-out", i["user"]),
        again="more",
        cases=(
            Case("somebody else"),
            Case("oneself", {"own": "/account/sign-out"}, role="readonly", doors=_ONES_OWN),
            _UNKNOWN,
        ),
    ),
    Row(
        access.make_link,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.make_link(connection, principal, int(i["user"]), datetime.now(UTC))
        ),
        api=lambda i: ("POST", f"/users/{i['user']}/link", None),
        console=lambda i: (f"/users/{i['user']}/link", {}),
        cli=lambda i: ("user", "link", i["user"]),
        again="more",
        cases=(
            Case("one of many"),
            Case("disabled", {}, "user_disabled", before=("UPDATE app_user SET active = false WHERE id = :user",)),
            _UNKNOWN,
        ),
    ),
    Row(
        access.add_token,
        "users.write",
        in_transaction(lambda connection, _hub, principal, i: access.add_token(connection, principal, "readonly", i["name"])),
        api=lambda i: ("POST", "/tokens", {"name": i["name"], "role": "readonly"}),
        console=lambda i: ("/tokens", {"name": i["name"], "role": "readonly", "owner": "", "expires_on": ""}),
        cli=lambda i: ("token", "create", "--role", "readonly", "--name", i["name"]),
        again="more",
        cases=(
            Case("of a program", {"name": "Reports"}),
            Case("of no program", {"name": " "}, "name_missing"),
        ),
    ),
    Row(
        access.revoke_token,
        "users.write",
        in_transaction(
            lambda connection, _hub, principal, i: access.revoke_token(
                connection, principal, int(i["spare_token"]), datetime.now(UTC)
            )
        ),
        api=lambda i: ("DELETE", f"/tokens/{i['spare_token']}", None),
        console=lambda i: (f"/tokens/{i['spare_token']}/revoke", {}),
        cli=lambda i: ("token", "revoke", i["spare_token"]),
        again="idle",
        cases=(Case("valid"), Case("unknown", {"spare_token": "999999"}, "token_unknown")),
    ),
)  # fmt: skip
