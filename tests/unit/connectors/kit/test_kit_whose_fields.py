"""A post that also speaks of those who take the inquiry: their names and mails are never the visitor's."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.reading import Draft, read
from connectors.kit.roles import is_anonymous, role_of
from crm_core.arrivals import Inquiry


def once(data: dict[str, Any]) -> Inquiry:
    return read(data, Draft(), region="RU")


@pytest.mark.parametrize("level", ["organizer", "manager", "assigned_to", "operator", "employee", "responsible", "Менеджер"])
def test_mail_of_ours_is_not_the_visitor_s_when_it_stands_first(level: str) -> None:
    """Else all visitors would be one person: everyone who booked with Olga."""
    booked = once({level: {"name": "Olga Seller", "email": "olga@example.org", "phone": "+7 912 345-67-99"}, "guest_phone": "+7 912 345-67-41"})
    assert (booked.emails, booked.phones) == ((), ("+7 912 345-67-41",))
    assert dict(booked.fields)[level]["email"] == "olga@example.org"


def test_our_user_is_not_the_visitor_when_the_post_names_the_visitor_beside() -> None:
    user = {"firstName": "Olga", "lastName": "Seller", "email": "olga@example.org"}
    for post in ({"user": user, "email": "anna@example.com"}, {"email": "anna@example.com", "user": user}):
        lead = once(post)
        assert (lead.name, lead.emails) == ("", ("anna@example.com",))
        assert lead.fields["user"] == user
    alone = once({"user": {"name": "Anna", "email": "anna@example.com"}, "email": ""})
    assert (alone.name, alone.emails) == ("Anna", ("anna@example.com",))


@pytest.mark.parametrize("level", ["location", "property", "funnel_step", "workflow", "calendar", "branch", "клиника"])
def test_name_of_a_thing_is_nobody_s_when_it_has_a_level_of_its_own(level: str) -> None:
    assert once({level: {"name": "Example Dental"}, "full_name": "Anna Example"}).name == "Anna Example"
    assert once({level: {"name": "Example Dental"}, "email": "anna@example.com"}).name == ""


def test_person_is_read_when_a_field_beside_is_called_value() -> None:
    lead = once({"lead": {"name": "Anna", "phone": "+7 912 345-67-41", "value": 5000}})
    assert (lead.name, lead.phones, lead.fields) == ("Anna", ("+7 912 345-67-41",), {"lead": {"value": 5000}})


@pytest.mark.parametrize(
    "name, role",
    [
        ("imię i nazwisko", "name"), ("Nume și prenume", "name"), ("Vor- und Nachname", "name"), ("Ім’я та прізвище", "name"),
        ("first name and last name", "name"), ("Name and phone", "phone"), ("owner_email", "email"), ("tel_time", ""),
        ("et_pb_contact_message_0", "message"), ("mf-textarea", "message"), ("ff_nm_tel", "phone"), ("hotel_name", ""),
        ("Manager's phone", ""), ("Телефон менеджера", ""),
    ],
)  # fmt: skip
def test_role_is_found_when_the_name_has_several_words(name: str, role: str) -> None:
    assert role_of(name) == role


@pytest.mark.parametrize(
    "name, anonymous",
    [("form-field-8bd1e2", True), ("kb_field_0", True), ("SIMPLE_QUESTION_712", True), ("p4", True), ("kb", False), ("to_city", False), ("car_field", False), ("cafe", False)],
)
def test_name_says_nothing_when_a_builder_made_it_up(name: str, anonymous: bool) -> None:
    assert is_anonymous(name) is anonymous
