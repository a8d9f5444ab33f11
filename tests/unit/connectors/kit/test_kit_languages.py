"""What forms of the world call their fields: the table's own phrases, and others that only the rules can tell."""

from __future__ import annotations

import pytest

from connectors.kit.forms.languages import PHRASES, compared
from connectors.kit.forms.roles import role_of, whole

#: One word for two things; what the older tables say goes first.
_OTHERWISE = {"Όνομα": "first_name"}


@pytest.mark.parametrize("language", PHRASES)
def test_phrase_of_the_table_asks_for_its_role(language: str) -> None:
    rows = [(role, phrase.strip()) for role, phrases in PHRASES[language].items() for phrase in phrases.split(",")]
    wrong = {
        phrase: role_of(phrase) for role, phrase in rows
        if phrase and role_of(phrase) != _OTHERWISE.get(phrase, role) and (role, role_of(phrase)) != ("first_name", "name")
    }  # fmt: skip
    assert wrong == {}
    assert [phrase for _, phrase in rows if compared(phrase) != whole(phrase)] == []


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("Vår kund: ditt meddelande", "message"), ("Skriv din fråga här", ""), ("Twoja wiadomość do nas", "message"), ("Treść zapytania", "message"),
        ("Telefonunuz", "phone"), ("Исмингиз", "name"), ("Хабарламаңыз", "message"), ("ข้อความของคุณ", "message"), ("ชื่อผู้ติดต่อ", "name"),
        ("您的联系电话", "phone"), ("联系电话时间", ""), ("お問い合わせ内容詳細", "message"), ("문의 내용", "message"), ("Ad və soyad", "name"),
        ("სახელი და გვარი", "name"), ("Անուն և ազգանուն", "name"), ("Vārds un uzvārds", "name"), ("Эл. почта", "email"), ("El. paštas", "email"),
        ("E-pasts", "email"), ("E-poçt ünvanı", "email"), ("आपका नाम", "name"), ("मोबाइल नंबर", "phone"), ("Το τηλέφωνό σας", "phone"),
        ("Как к Вам можно обращаться?", "name"), ("What should we call you?", "name"), ("¿En qué podemos ayudarte?", "message"),
        ("Что нужно сделать?", "message"), ("vashe_soobschenie", "message"), ("Product name", ""), ("Nama produk", ""), ("Название товара", ""),
    ],
)  # fmt: skip
def test_label_is_understood_when_it_is_no_phrase_of_the_table(label: str, role: str) -> None:
    assert role_of(label) == role
