"""Whatever is posted, the door answers and nothing that it promised is missing: never an exception, never a 500."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from door_client import Door, call, open_door
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_core.base.config import HubConfig

# Every code point, lone surrogates and NUL included: a server may hand through more than the standard allows.
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
HEADER_NAMES = st.one_of(
    st.sampled_from(
        ["Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "Origin", "Referer", "X-Forwarded-For", "Cookie",
         "X-Requested-With", "Transfer-Encoding"]
    ),
    st.text(string.ascii_letters + "-", min_size=1, max_size=20),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda name, value: f"{name}={value}".encode("utf-8", "surrogatepass"), st.sampled_from(["_next", "_key", "a"]), ANY_TEXT),
    st.builds(lambda value: b'--b\r\nContent-Disposition: form-data; name="_next"\r\n\r\n' + value + b"\r\n", st.binary(max_size=80)),
)  # fmt: skip


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config, max_body_bytes=300, trusted_proxies=1) as opened:
        yield opened


def test_door_answers_whatever_is_posted(door: Door) -> None:
    source = door.add(allowed_hosts=["example.com"])
    promised = 0

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        method=st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "OPTIONS", "PUT", "", "X"]),
        rest=ANY_TEXT,
        query=ANY_TEXT,
        body=BODIES,
        headers=st.dictionaries(HEADER_NAMES, ANY_TEXT, max_size=6),
        length=st.one_of(st.none(), st.just(""), ANY_TEXT),
        remote=ANY_TEXT,
    )
    def post(
        method: str,
        rest: str,
        query: str,
        body: bytes,
        headers: dict[str, str],
        length: str | None,
        remote: str,
    ) -> None:
        nonlocal promised
        heard = call(door.entrance, method, f"/in/{source.token}/{rest}", body, headers, query, remote, length)
        assert heard.status in (200, 204, 303, 400, 405, 413)
        for name, value in heard.headers.items():
            assert (name + value).isprintable()
            (name + value).encode("latin-1")
        if method in ("POST", "PUT") and heard.status in (200, 303):
            promised += 1

    post()
    rows = door.rows()
    assert len(rows) + sum(row["redeliveries"] for row in rows) == promised
    assert promised > 50
