"""What is set aside, what is held, and what goes on whatever happens to the broker."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import altcha
import orjson
import pytest
import redis
import servers
from desk import Desk
from principals import OPERATOR
from sqlalchemy import Engine, text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Processor
from ingest.processing.replay import Selection, replay
from ingest.quarantine.alerts import open_alerts
from ingest.screening.challenge import challenge, issue
from ingest.screening.rates import Post, Rates
from ingest.sources.settings import check_settings, seal_settings
from ingest.sources.sources import load_source

BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "origin": "https://site.example.com",
    "accept-language": "ru", "content-type": "application/x-www-form-urlencoded",
}  # fmt: skip
SPAM_WORDS = "We offer SEO services, your website on the first page of Google. Free audit. https://a.example.top"


class Site(Desk):
    """A site whose visitors post from where the test says."""

    def set(self, **settings: Any) -> None:
        with self.engine.begin() as connection:
            source = load_source(connection, self.config, self.form_source)
            checked = check_settings(source.connector, settings)
            connection.execute(
                text("UPDATE source SET config = :config WHERE id = :id"),
                {"config": orjson.dumps(seal_settings(self.config, source.id, checked)).decode(), "id": source.id},
            )

    def visit(
        self, ip: str = "198.51.100.7", headers: Mapping[str, str] | None = None, body: bytes | None = None, **fields: str
    ) -> str:
        raw_event = RawEvent(
            self.form_source, "form", urlencode(fields).encode() if body is None else body,
            headers=BROWSER if headers is None else dict(headers), remote_ip=ip,
        )  # fmt: skip
        return insert_events(self.door, [raw_event])[0].uid

    def judge(self, ip: str = "198.51.100.7", headers: Mapping[str, str] | None = None, **fields: str) -> dict[str, Any]:
        uid = self.visit(ip, headers, **fields)
        self.drain("form")
        return self.event(uid)

    def codes(self, event: Mapping[str, Any]) -> set[str]:
        """Of the signs that were found, wherever they stand now."""
        held = event["reason"] if event["outcome"] == "spam" else event["reason"].get("spam", {"reasons": []})
        return {reason["code"] for reason in held["reasons"]}


@pytest.fixture
def site(config: HubConfig, engine: Engine) -> Iterator[Site]:
    made = Site(config, engine)
    yield made
    made.close()


def test_inquiry_when_a_person_wrote_it(site: Site) -> None:
    event = site.judge(name="Anna", phone="+7 912 345-67-01", message="Сколько стоит окно?")
    assert event["outcome"] == "created"
    assert site.one("SELECT spam FROM lead") == {"score": 0, "reasons": []}


def test_inquiry_when_it_looks_a_little_like_spam_keeps_its_reasons(site: Site) -> None:
    event = site.judge(name="Anna", phone="8916123456", message="see https://a.example.com and https://b.example.com")
    assert event["outcome"] == "created"
    spam = site.one("SELECT spam FROM lead")
    assert spam["score"] == 3
    assert {reason["code"]: reason["points"] for reason in spam["reasons"]} == {"links": 2, "phone_invalid": 1}


def test_spam_when_set_aside_makes_nobody_a_contact(site: Site) -> None:
    event = site.judge(name="Seo", email="seo@example.net", message=SPAM_WORDS)
    assert (event["state"], event["outcome"], event["lead_id"], event["contact_id"]) == ("done", "spam", None, None)
    assert event["reason"]["code"] == "quarantined"
    assert event["reason"]["score"] >= 4
    assert sum(reason["points"] for reason in event["reason"]["reasons"]) == event["reason"]["score"]
    assert site.one("SELECT count(*) FROM contact") == 0
    assert site.one("SELECT count FROM capture_stat WHERE outcome = 'spam'") == 1


@pytest.mark.parametrize(("mode", "score"), [("mark", True), ("off", False)])
def test_spam_when_the_source_sets_nothing_aside(site: Site, mode: str, score: bool) -> None:
    site.set(spam=mode)
    event = site.judge(name="Seo", email="seo@example.net", message=SPAM_WORDS)
    assert event["outcome"] == "created"
    assert (site.one("SELECT spam FROM lead")["score"] >= 4) == score


def test_honeypot_when_filled_sets_aside_and_release_delivers_once(site: Site) -> None:
    event = site.judge(name="Anna", phone="+7 912 345-67-01", _gotcha="autofilled")
    assert (event["outcome"], site.codes(event)) == ("spam", {"honeypot"})
    (reason,) = event["reason"]["reasons"]
    assert reason == {"code": "honeypot", "points": 4, "detail": "_gotcha"}


@pytest.mark.parametrize(
    ("age", "codes"),
    [(timedelta(seconds=0.5), {"too_fast"}), (timedelta(seconds=30), set()), (timedelta(days=3), {"token_old"})],
)
def test_time_token_when_the_form_was_shown_that_long_ago(site: Site, age: timedelta, codes: set[str]) -> None:
    token = issue(site.config, site.form_source, datetime.now(UTC) - age)
    event = site.judge(name="Anna", phone="+79123456701", _t=token)
    assert event["outcome"] == "created"
    assert site.codes(event) == codes


def test_time_token_when_forged_or_of_another_source_or_absent(site: Site) -> None:
    now = datetime.now(UTC) - timedelta(seconds=30)
    assert site.codes(site.judge(name="A", phone="+79123456701", _t="18c" + "0" * 8 + "." + "0" * 32)) == {"token_forged"}
    assert site.codes(site.judge(name="B", phone="+79123456702", _t=issue(site.config, 999, now))) == {"token_forged"}
    assert site.codes(site.judge(name="C", phone="+79123456703")) == set()


def solved(config: HubConfig, source_id: int, **changes: Any) -> str:
    """What the widget would send. The key signature spares the work: the smallest counter is found as a browser does."""
    made = altcha.Challenge.from_dict(challenge(config, source_id, datetime.now(UTC)))
    solution = altcha.solve_challenge(made)
    assert solution is not None
    payload = {"challenge": made.to_dict(), "solution": solution.to_dict()}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_altcha_when_good_replayed_of_another_source_garbage_or_missing(site: Site) -> None:
    site.set(altcha="expected")
    good = solved(site.config, site.form_source)
    assert site.codes(site.judge(name="A", phone="+79123456701", altcha=good)) == {"altcha_good"}
    replayed = site.judge(name="B", phone="+79123456702", altcha=good)
    assert (replayed["outcome"], site.codes(replayed)) == ("created", {"altcha_replayed"})
    foreign = solved(site.config, site.form_source + 1)
    assert site.codes(site.judge(name="C", phone="+79123456703", altcha=foreign)) == {"altcha_wrong"}
    assert site.codes(site.judge(name="D", phone="+79123456704", altcha="AAAA")) == {"altcha_wrong"}
    missing = site.judge(name="E", phone="+79123456705")
    assert (missing["outcome"], site.codes(missing)) == ("created", {"altcha_missing"})


def test_altcha_when_expired(site: Site) -> None:
    site.set(altcha="optional")
    late = challenge(site.config, site.form_source, datetime.now(UTC) - timedelta(hours=2))
    payload = base64.b64encode(json.dumps({"challenge": late, "solution": {"counter": 1, "derivedKey": "00"}}).encode())
    assert site.codes(site.judge(name="A", phone="+79123456701", altcha=payload.decode())) == {"altcha_expired"}
    assert site.codes(site.judge(name="B", phone="+79123456702")) == set()


def test_altcha_when_the_broker_is_away_counts_no_replay(site: Site, tmp_path: Path) -> None:
    site.set(altcha="expected")
    site.config = replace(site.config, broker_url="redis://127.0.0.1:1/0")
    good = solved(site.config, site.form_source)
    for n in (1, 2):
        assert site.codes(site.judge(name="A", phone=f"+7912345670{n}", altcha=good)) == {"altcha_good"}


def test_altcha_when_anything_is_sent_raises_nothing(site: Site) -> None:
    site.set(altcha="expected")
    for value in ({}, [], "x", {"challenge": []}, {"challenge": "x", "solution": "y"}, {"challenge": {"parameters": []}},
                  {"challenge": {"parameters": {"expiresAt": "x"}, "signature": 5}, "solution": {"counter": "x", "derivedKey": None}},
                  {"challenge": {"parameters": None, "signature": None}, "solution": None}):  # fmt: skip
        proof = base64.b64encode(json.dumps(value).encode()).decode()
        assert site.judge(name="A", phone="+79123456701", altcha=proof)["error"] is None


def test_rates_when_one_phone_comes_from_many_addresses(site: Site) -> None:
    events = [site.judge(f"198.51.100.{n}", name=f"N{n}", phone="+79123456701", message=f"number {n}") for n in (1, 2, 3)]
    assert [site.codes(event) for event in events] == [set(), set(), {"phone_many_ips"}]
    assert site.codes(site.judge("198.51.100.3", name="again", phone="8 912 345-67-01")) == {"phone_many_ips"}


def test_rates_when_one_phone_comes_from_one_address(site: Site) -> None:
    for n in range(4):
        event = site.judge(name=f"N{n}", phone="+79123456701", message=f"number {n}")
    assert site.codes(event) == set()


def test_rates_when_one_text_comes_from_many_addresses(site: Site) -> None:
    words = "Прошу связаться со мной по поводу вашего предложения, которое висит на остановке."
    events = [site.judge(f"198.51.100.{n}", name=f"N{n}", phone=f"+7912345670{n}", message=words) for n in range(1, 6)]
    assert [site.codes(event) for event in events] == [set()] * 4 + [{"text_many_ips"}]
    prefilled = [site.judge(f"198.51.100.{n}", phone=f"+7912345671{n}", message="Перезвоните мне") for n in range(1, 9)]
    assert site.codes(prefilled[-1]) == set()


def test_rates_when_one_address_posts_more_than_ten_in_a_minute(site: Site) -> None:
    for n in range(12):
        site.visit("2001:db8:1:2::" + format(n + 1, "x"), name=f"N{n}", phone=f"+791234567{n:02}")
    site.drain("form")
    spam = [row["spam"] for row in site.rows("SELECT spam FROM lead ORDER BY event_id")]
    assert [lead["score"] for lead in spam] == [0] * 10 + [2] * 2
    assert spam[-1]["reasons"] == [{"code": "ip_per_minute", "points": 2, "detail": "12"}]


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "192.168.1.5", "::1", "fd00::1", "::ffff:10.0.0.1", "", "unknown"])
def test_rates_when_the_address_is_our_own_side_count_nothing(site: Site, ip: str) -> None:
    site.set(burst_per_minute=3)
    for n in range(15):
        site.visit(ip, name=f"N{n}", phone="+79123456701")
    site.drain("form")
    assert site.one("SELECT count(*) FROM inbound_event WHERE outcome = 'spam'") == 0
    assert site.rows("SELECT 1 FROM lead WHERE spam->>'score' <> '0'") == []
    assert site.rows("SELECT 1 FROM source_alert") == []


def test_rates_when_a_program_says_that_it_is_one(site: Site) -> None:
    for n in range(12):
        site.visit(headers=BROWSER | {"user-agent": "WordPress/6.8; https://site.example.com"}, phone=f"+791234567{n:02}")
    site.drain("form")
    assert site.rows("SELECT 1 FROM lead WHERE spam->>'score' <> '0'") == []


def test_rates_when_a_batch_is_taken_again_count_an_event_once(config: HubConfig) -> None:
    rates = Rates(config)
    posts = [Post(n, 1, 1000.0 + n, "198.51.100.7", phones=("+79123456701",), proof="p", proof_seconds=60) for n in range(3)]
    first = rates.count(posts)
    again = rates.count(posts)
    rates.close()
    assert [counts.ip_minute for counts in first] == [1, 2, 3]
    assert again == first
    assert [counts.proof_used for counts in first] == [False, True, True]


def test_rates_when_events_waited_count_them_when_they_came(config: HubConfig) -> None:
    rates = Rates(config)
    hours = rates.count([Post(n, 1, 1000.0 + 50 * n, "198.51.100.7") for n in range(4)])
    rates.close()
    assert [(counts.ip_minute, counts.ip_hour, counts.source_minute) for counts in hours] == [
        (1, 1, 1),
        (2, 2, 2),
        (2, 3, 2),
        (2, 4, 2),
    ]


def test_rates_when_looked_at_in_the_broker_hold_nobodys_data(site: Site) -> None:
    site.judge("198.51.100.77", name="Anna", phone="+79123456701", message="x" * 80)
    with redis.Redis.from_url(site.config.broker_url, decode_responses=True) as client:
        keys = list(client.scan_iter("leadhub.rates:*"))
        held = json.dumps([[key, client.zrange(key, 0, -1)] for key in keys])
        assert len(keys) == 4
        assert all(0 < client.ttl(key) <= 7200 for key in keys)
    for secret in ("79123456701", "9123456701", "198.51.100.77", "xxxx"):
        assert secret not in held


def test_screening_when_the_broker_is_flushed_goes_on(site: Site) -> None:
    site.judge(name="A", phone="+79123456701")
    with redis.Redis.from_url(site.config.broker_url) as client:
        client.flushall()
    assert site.judge(name="B", phone="+79123456702")["outcome"] == "created"


def test_screening_when_the_broker_is_stopped_still_judges_content(site: Site, tmp_path: Path) -> None:
    with servers.private_broker(tmp_path, "valkey") as (url, _):
        site.config = replace(site.config, broker_url=url)
        assert site.judge(name="A", phone="+79123456701")["outcome"] == "created"
    assert site.judge(name="B", phone="+79123456702")["outcome"] == "created"
    assert site.judge(name="Seo", email="seo@example.net", message=SPAM_WORDS)["outcome"] == "spam"


def test_screening_when_the_broker_hangs_waits_for_it_once(config: HubConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.screening.rates._WAIT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        rates = Rates(replace(config, broker_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        posts = [Post(1, 1, 1000.0, "198.51.100.7")]
        assert rates.count(posts)[0].ip_minute == 0
        silent.setblocking(False)
        silent.accept()[0].close()
        assert rates.count(posts)[0].ip_minute == 0
        with pytest.raises(BlockingIOError):  # the second time nobody even called
            silent.accept()
        rates.close()


def test_burst_when_a_source_is_flooded_sets_aside_and_alarms_once(site: Site) -> None:
    site.set(burst_per_minute=20)
    for n in range(50):
        site.visit(name=f"N{n}", phone=f"+79123456{n:03}")
    site.drain("form")
    assert site.one("SELECT count(*) FROM inbound_event WHERE outcome = 'created'") == 20
    assert site.one("SELECT count(*) FROM inbound_event WHERE outcome = 'spam'") == 30
    with site.engine.begin() as connection:
        (alert,) = open_alerts(connection)
    assert (alert.code, alert.raised, alert.data["limit"], alert.data["set_aside"]) == ("burst", 1, 20, 30)
    until = site.one("SELECT quarantine_until FROM source WHERE id = %s", site.form_source)
    assert timedelta(minutes=9) < until - datetime.now(UTC) <= timedelta(minutes=10)
    # Another worker, which has seen nothing, and a broker that has forgotten all.
    with redis.Redis.from_url(site.config.broker_url) as client:
        client.flushall()
    late = site.judge("203.0.113.9", name="Late", phone="+79123456990")
    assert (late["outcome"], site.codes(late)) == ("spam", {"burst"})
    ours = site.judge("127.0.0.1", name="Proxy", phone="+79123456991")
    assert ours["outcome"] == "created"


def test_burst_when_it_is_over_ends_by_itself(site: Site) -> None:
    site.connection.execute("UPDATE source SET quarantine_until = now() - interval '1 second' WHERE id = %s", (site.form_source,))
    assert site.judge(name="A", phone="+79123456701")["outcome"] == "created"


def test_burst_when_the_source_has_no_limit(site: Site) -> None:
    site.set(burst_per_minute=0)
    for n in range(80):
        site.visit(f"198.51.100.{n + 1}", name=f"N{n}", phone=f"+791234567{n:02}")
    site.drain("form")
    assert site.one("SELECT count(*) FROM inbound_event WHERE outcome = 'spam'") == 0


def test_event_with_several_inquiries_when_one_is_genuine(site: Site) -> None:
    spam = {"name": "Seo", "email": "seo@example.net", "message": SPAM_WORDS}
    person = {"name": "Anna", "phone": "+79123456701", "message": "Привет"}
    headers = BROWSER | {"content-type": "application/json"}
    mixed = site.visit(headers=headers, body=orjson.dumps([spam, person]))
    bad = site.visit(headers=headers, body=orjson.dumps([spam, spam | {"email": "b@example.net"}]))
    site.drain("form")
    assert site.event(mixed)["outcome"] == "created"
    assert [row["spam"]["score"] >= 4 for row in site.rows("SELECT spam FROM lead ORDER BY event_seq")] == [True, False]
    assert site.event(bad)["outcome"] == "spam"


def test_replay_when_it_has_a_lead_is_not_screened_again(site: Site) -> None:
    site.set(spam="off")
    event = site.judge(name="Seo", email="seo@example.net", message=SPAM_WORDS)
    site.set(spam="quarantine")
    rehearsed = replay(site.engine, HUB, site.config, Selection(uids=(event["uid"],)), dry_run=True)
    assert rehearsed.after == {"created": 1}
    replay(site.engine, HUB, site.config, Selection(uids=(event["uid"],)), dry_run=False)
    site.drain("form")
    assert site.event(event["uid"])["outcome"] == "created"
    assert site.one("SELECT count(*) FROM lead") == 1


def test_replay_when_it_was_set_aside_says_so_first(site: Site) -> None:
    event = site.judge(name="Seo", email="seo@example.net", message=SPAM_WORDS)
    assert replay(site.engine, OPERATOR, site.config, Selection(uids=(event["uid"],)), dry_run=True).after == {"spam": 1}
    site.set(spam="mark")
    assert replay(site.engine, OPERATOR, site.config, Selection(uids=(event["uid"],)), dry_run=True).after == {"created": 1}
    assert site.event(event["uid"])["outcome"] == "spam"


def test_replay_when_screened_counts_in_no_rate(site: Site) -> None:
    site.set(burst_per_minute=3)
    uids = [site.visit(name="A", body=b"") for _ in range(3)]
    site.drain("form")
    assert {site.event(uid)["state"] for uid in uids} == {"needs_attention"}
    for _ in range(5):
        replay(site.engine, OPERATOR, site.config, Selection(uids=tuple(uids)), dry_run=False)
        site.drain("form")
    assert site.rows("SELECT 1 FROM source_alert WHERE code = 'burst'") == []


def test_consent_when_unknown_is_held_until_a_person_decides(site: Site) -> None:
    site.set(consent_unknown="hold", consent_fields={"agree": "processing"})
    given = site.judge(name="A", phone="+79123456701", agree="on")
    assert given["outcome"] == "created"
    declined = site.judge(name="B", phone="+79123456702", agree="no")
    assert (declined["state"], declined["error"]["code"]) == ("needs_attention", "consent_declined")
    assert site.one("SELECT count(*) FROM lead") == 1


def test_consent_when_the_form_says_nothing(site: Site) -> None:
    site.set(consent_unknown="hold")
    event = site.judge(name="A", phone="+79123456701")
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "consent_unknown")
    assert site.rows("SELECT 1 FROM contact") == []
    site.set(consent_unknown="accept")
    assert site.judge(name="A", phone="+79123456701")["outcome"] == "created"


def test_logs_when_everything_is_screened_hold_nobodys_data(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.set(burst_per_minute=2, altcha="expected")
    with caplog.at_level("DEBUG"):
        for _ in range(5):
            site.judge(name="Anna Secretova", phone="+79123456701", email="anna@example.com", altcha="AAAA", message=SPAM_WORDS)
        site.config = replace(site.config, broker_url="redis://127.0.0.1:1/0")
        site.judge(name="Anna Secretova", phone="+79123456701", email="anna@example.com", _gotcha="x")
    assert any("burst_began" in record.getMessage() for record in caplog.records)
    for record in caplog.records:
        said = record.getMessage() + json.dumps(record.__dict__, default=str)
        for secret in ("9123456701", "anna@example.com", "Secretova", "198.51.100.7"):
            assert secret not in said


def test_processor_when_closed_leaves_no_connection(config: HubConfig, engine: Engine) -> None:
    processor = Processor(config)
    processor.screener.rates.count([Post(1, 1, 1000.0, "198.51.100.7")])
    processor.close()
    processor.close()
