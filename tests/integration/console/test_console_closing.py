"""Won with an amount, lost with a reason, open again, and taken back: in the console and through the API by the same rules."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from crm_core import access
from crm_core.access import HUB


@pytest.fixture
def lead(hub: Any) -> str:
    hub.send(orjson.dumps({"name": "Anna Sidorova", "email": "anna@example.com", "message": "doors"}))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    return f"/console/leads/{lead_id}"


def _state(hub: Any) -> tuple[object, ...]:
    [row] = hub.rows("SELECT state, amount::text, currency, lost_reason, version, closed_at IS NULL FROM lead")
    return tuple(row)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("118 000,50", "118000.50"), ("118\u00a0000", "118000.00"), ("118000.5", "118000.50"), ("0", "0.00"), ("", None)],
)
def test_won_asks_for_an_amount_and_keeps_it(hub: Any, lead: str, typed: str, stored: str | None) -> None:
    manager = hub.signed_in("manager")
    page = manager.get(lead).text
    assert 'name="amount"' in page
    assert 'name="currency" maxlength="3" value="RUB"' in page
    answer = manager.post(f"{lead}/close", state="won", amount=typed, currency="RUB", version="1")
    assert answer.status_code == 303
    assert _state(hub) == ("won", stored, "RUB" if stored else "", "", 2, False)
    after = manager.get(answer.headers["Location"]).text
    assert "Undo" in after
    assert ("RUB" in after) == bool(stored)


@pytest.mark.parametrize(
    ("typed", "currency"),
    [("much", "RUB"), ("-5", "RUB"), ("1.234", "RUB"), ("9" * 14, "RUB"), ("1", "XYZ"), ("NaN", "RUB"), ("1e5", "RUB")],
)
def test_amount_that_is_none_is_explained(hub: Any, lead: str, typed: str, currency: str) -> None:
    answer = hub.signed_in("manager").post(f"{lead}/close", state="won", amount=typed, currency=currency, version="1")
    assert answer.status_code == 422
    assert ("An amount is written as" if currency == "RUB" else "A currency is written in three letters") in answer.text
    assert _state(hub)[0] == "open"


def test_closed_lead_is_opened_again_and_closed_as_before_by_undo(hub: Any, lead: str) -> None:
    manager = hub.signed_in("manager")
    for state, fields in (("won", {"amount": "500"}), ("lost", {"why": "Too dear"})):
        before = _state(hub)
        manager.post(f"{lead}/close", state=state, version=str(before[4]), **fields)
        assert manager.post(f"{lead}/undo", version=str(before[4] + 1)).status_code == 303  # type: ignore[operator]
        assert _state(hub)[:4] == before[:4]
        assert _state(hub)[5]
    version = int(str(_state(hub)[4]))
    manager.post(f"{lead}/close", state="lost", why="Too dear", version=str(version))
    assert "Open it again" in manager.get(lead).text
    answer = manager.post(f"{lead}/reopen", version=str(version + 1))
    assert answer.status_code == 303
    assert _state(hub)[:4] == ("open", None, "", "")
    assert manager.post(f"{lead}/undo", version=str(version + 2)).status_code == 303
    assert _state(hub)[:4] == ("lost", None, "", "Too dear")
    assert hub.rows("SELECT count(*) FROM touch WHERE kind = 'stage'") == [(7,)]


def test_undo_takes_back_only_the_own_and_the_last(hub: Any, lead: str) -> None:
    manager, head = hub.signed_in("manager"), hub.signed_in("head")
    assert manager.post(f"{lead}/undo", version="1").status_code == 409
    head.post(f"{lead}/close", state="won", version="1")
    assert manager.post(f"{lead}/undo", version="2").status_code == 409
    assert head.post(f"{lead}/undo", version="1").status_code == 409  # of an older page
    assert hub.signed_in("ops").post(f"{lead}/undo", version="2").status_code == 403
    assert _state(hub)[0] == "won"


def test_undo_does_not_open_what_a_colleague_has_now(hub: Any, lead: str) -> None:
    manager = hub.signed_in("manager")
    manager.post(f"{lead}/close", state="won", version="1")
    hub.rows("INSERT INTO owner (name) VALUES ('Anna') RETURNING id")
    hub.rows("UPDATE contact SET owner_id = (SELECT id FROM owner WHERE name = 'Anna') RETURNING id")
    for deed in ("undo", "reopen"):
        answer = manager.post(f"{lead}/{deed}", version="2")
        assert answer.status_code == 409
        assert "This client is with Anna now." in answer.text
    assert _state(hub)[0] == "won"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"stage": "banana"}, 422, "new, qualified, decision_maker, offer_sent, meeting_set, meeting_held, contract_agreed, invoice_paid"),
        ({"state": "lost"}, 422, "lost_reason"), ({"state": "lost", "lost_reason": "  "}, 422, "lost_reason"),
        ({"state": "won", "amount": "12.345"}, 422, "amount"), ({"amount": -1}, 422, "amount"), ({"amount": "1", "currency": "ZZZ"}, 422, "ISO 4217"),
        ({"state": "won", "amount": "118000.5"}, 200, '"amount":"118000.50","currency":"RUB"'),
        ({"state": "won", "amount": 5, "currency": "EUR"}, 200, '"amount":"5.00","currency":"EUR"'),
        ({"state": "lost", "lost_reason": "Too dear"}, 200, "Too dear"), ({"stage": "offer_sent"}, 200, "offer_sent"),
    ],
)  # fmt: skip
def test_api_changes_by_the_same_rules(hub: Any, lead: str, body: dict[str, Any], status: int, said: str) -> None:
    with hub.engine.begin() as connection:
        made = access.add_token(connection, HUB, "head", "tests")[1]
    token = made if isinstance(made, str) else made.token
    answer = hub.new_visitor().client.patch(
        f"/api/v1{lead.removeprefix('/console')}", json={"version": 1, **body}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
