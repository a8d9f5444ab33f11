"""A post that also speaks of those who take the inquiry: their names and mails are never the visitor's."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.forms.fields import FormField
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.forms.roles import is_anonymous, role_of
from connectors.kit.forms.whose import Whose, whose
from crm_core.parsed import Inquiry


def once(data: dict[str, Any]) -> Inquiry:
    return read(data, Draft(), region="RU")


@pytest.mark.parametrize("level", ["organizer", "manager", "assigned_to", "operator", "employee", "responsible", "Менеджер"])
def test_mail_of_ours_is_not_the_visitor_s_when_it_stands_first(level: str) -> None:
    """Else all visitors would be one person: everyone who booked with Olga."""
    booked = once(
        {
            level: {"name": "Olga Seller", "email": "olga@example.org", "phone": "+7 912 345-67-99"},
            "guest_phone": "+7 912 345-67-41",
        }
    )
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
    [
        ("form-field-8bd1e2", True),
        ("kb_field_0", True),
        ("SIMPLE_QUESTION_712", True),
        ("p4", True),
        ("kb", False),
        ("to_city", False),
        ("car_field", False),
        ("cafe", False),
    ],
)
def test_name_says_nothing_when_a_builder_made_it_up(name: str, anonymous: bool) -> None:
    assert is_anonymous(name) is anonymous


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("phone", Whose.CLIENTS), ("your_email", Whose.CLIENTS), ("contact_phone", Whose.CLIENTS), ("company_phone", Whose.CLIENTS),
        ("parent_phone", Whose.CLIENTS), ("sender_email", Whose.CLIENTS), ("billing_phone", Whose.CLIENTS), ("invitee_email", Whose.CLIENTS),
        ("guest_phone", Whose.MAYBE), ("shipping_phone", Whose.MAYBE), ("owner_email", Whose.MAYBE), ("владелец_телефон", Whose.MAYBE),
        ("form_owner_email", Whose.THEIRS), ("deal_owner_phone", Whose.THEIRS), ("created_by_email", Whose.THEIRS), ("to_email", Whose.THEIRS),
        ("officePhone", Whose.THEIRS), ("Почта офиса", Whose.THEIRS), ("friend's e-mail", Whose.THEIRS), ("événement_hôte_email", Whose.THEIRS),
        ("arkadaşın telefonu", Whose.THEIRS), ("收货人电话", Whose.THEIRS), ("emergency_contact_phone", Whose.THEIRS),
        ("Phone on which our friend at the office may call", Whose.CLIENTS),
    ],
)  # fmt: skip
def test_it_is_known_whose_a_field_is(name: str, theirs: Whose) -> None:
    assert whose(FormField((name,), name, "", "", "x")) is theirs


def test_level_says_whose_everything_below_it_is() -> None:
    assert whose(FormField(("agent", "contact", "phone"), "phone", "", "", "x")) is Whose.THEIRS
    assert whose(FormField(("calendar", "owner", "email"), "calendar_owner_email", "", "", "x")) is Whose.THEIRS
    assert whose(FormField(("data", "customer", "phone"), "phone", "", "", "x")) is Whose.CLIENTS
