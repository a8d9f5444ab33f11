"""Honeypots and proofs leave the fields and are told apart from what people wrote."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.forms.config import FormConfig
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Inquiry

CONFIG = FormConfig(region="RU", honeypots=["Website", "fax"])
TOKEN = "019bc1a2b3c.0123456789abcdef0123456789abcdef"


def fields(**data: Any) -> Inquiry:
    return read(data, Draft(), region="RU", config=CONFIG)


@pytest.mark.parametrize("name", ["_gotcha", "_honey", "botcheck", "website", "Fax"])
def test_honeypot_is_noted_when_somebody_filled_it(name: str) -> None:  # 60
    inquiry = fields(**{name: "https://spam.example.com", "name": "Ivan"})
    assert inquiry.antispam_fields == {"honeypot": f"{name}=https://spam.example.com"}
    assert inquiry.fields == {}


@pytest.mark.parametrize("value", ["", None, False, "false", []])
def test_honeypot_says_nothing_when_it_was_left_empty(value: Any) -> None:
    inquiry = fields(_gotcha=value, botcheck=value)
    assert (inquiry.antispam_fields, inquiry.fields) == ({}, {})


def test_field_stays_when_no_setting_calls_it_a_honeypot() -> None:
    inquiry = read({"website": "https://shop.example.com", "url_of_yours": "x"}, Draft(), region="RU")
    assert inquiry.antispam_fields == {}
    assert inquiry.fields["website"] == "https://shop.example.com"


def test_tilda_default_text_is_no_honeypot_when_it_comes_with_every_post() -> None:
    inquiry = fields(**{"form-spec-comments": "Its good", "Name": "Ivan"})
    assert (inquiry.antispam_fields, inquiry.fields, inquiry.message) == ({}, {}, "")


def test_proofs_are_kept_apart_when_they_were_sent() -> None:  # 61, 62
    inquiry = fields(_t=TOKEN, altcha="eyJ" + "a" * 700, _script="1")
    assert inquiry.antispam_fields == {"time_token": TOKEN, "altcha": "eyJ" + "a" * 700, "script": "1"}
    assert inquiry.fields == {}
    assert fields(**{"leadhub-time": TOKEN}).antispam_fields == {"time_token": TOKEN}


def test_forged_token_is_kept_when_it_must_be_judged_by_others() -> None:
    assert fields(_t="forged").antispam_fields == {"time_token": "forged"}
    assert fields(_t="1768478400").antispam_fields == {}, "a number is a page's way round its cache"
    assert len(fields(altcha="x" * 100_000).antispam_fields["altcha"]) == 4096
