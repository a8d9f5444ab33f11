"""Files of forms: uploads, base64, addresses; caps that cost a file and never the inquiry; names that cannot harm."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from connectors.kit import Request
from connectors.kit.decoding import Upload, decode
from connectors.kit.forms.files import ALL_BYTES, FILE_BYTES, clean_name
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Inquiry

MULTIPART = "multipart/form-data; boundary=b"
PDF = b"%PDF-1.7\x00\xff\xfe binary"
B64 = base64.b64encode(PDF).decode()


def posted(body: bytes, content_type: str) -> Inquiry:
    request = Request("POST", "", "", {"content-type": content_type}, body, datetime(2026, 1, 15, tzinfo=UTC))
    return read(decode(request).fields, Draft(), region="RU")


def part(name: str, filename: str, content: bytes, type_: str = "application/pdf") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {type_}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def sent(data: dict[str, Any]) -> Inquiry:
    return posted(json.dumps(data).encode(), "application/json")


def test_bytes_are_kept_when_a_file_was_uploaded() -> None:
    inquiry = posted(
        part("plan", "план.pdf", PDF) + b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nIvan\r\n--b--',
        MULTIPART,
    )
    (file,) = inquiry.files
    assert (file.name, file.type, file.size, file.field_name, file.data, file.url, file.note) == (
        "план.pdf", "application/pdf", len(PDF), "plan", PDF, "", "",
    )  # fmt: skip
    assert (inquiry.name, inquiry.fields) == ("Ivan", {"plan": {"file": "план.pdf"}})


def test_nothing_is_kept_when_the_file_input_was_empty() -> None:
    inquiry = posted(part("plan", "", b"") + b"--b--", MULTIPART)
    assert (inquiry.files, inquiry.fields) == ((), {})


def test_several_are_kept_when_one_input_took_them() -> None:
    inquiry = posted(part("photos[]", "a.png", b"A") + part("photos[]", "b.png", b"B") + b"--b--", MULTIPART)
    assert [(file.name, file.data) for file in inquiry.files] == [("a.png", b"A"), ("b.png", b"B")]
    assert inquiry.fields == {"photos": [{"file": "a.png"}, {"file": "b.png"}]}


def test_upload_is_a_view_of_the_body_when_nobody_took_it() -> None:
    body = part("plan", "a.pdf", b"x" * 1000) + b"--b--"
    fields = decode(Request("POST", "", "", {"content-type": MULTIPART}, body, datetime(2026, 1, 15, tzinfo=UTC))).fields
    assert isinstance(fields["plan"], Upload)
    assert isinstance(fields["plan"].content, memoryview)
    assert fields["plan"].content.obj is body


def test_file_is_noted_and_the_inquiry_kept_when_it_is_too_large() -> None:
    inquiry = posted(
        part("a", "big.bin", b"x" * (FILE_BYTES + 1)) + part("b", "small.bin", b"y")
        + b'--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n+7 912 345-67-41\r\n--b--', MULTIPART,
    )  # fmt: skip
    assert [(file.note, file.size, file.data) for file in inquiry.files] == [
        ("too_large", FILE_BYTES + 1, None),
        ("", 1, b"y"),
    ]
    assert inquiry.phones == ("+7 912 345-67-41",)


def test_files_are_noted_when_all_together_are_too_large_or_too_many() -> None:
    third = ALL_BYTES // 3 + 1
    inquiry = posted(b"".join(part(f"f{n}", f"{n}.bin", b"x" * third) for n in range(3)) + b"--b--", MULTIPART)
    assert [file.note for file in inquiry.files] == ["", "", "too_large"]
    many = posted(b"".join(part(f"f{n}", f"{n}.bin", b"x") for n in range(7)) + b"--b--", MULTIPART)
    assert [file.note for file in many.files] == ["", "", "", "", "", "too_many", "too_many"]


@pytest.mark.parametrize(
    "value",
    [
        {"filename": "a.pdf", "content": B64},
        {"name": "a.pdf", "data": B64},
        {"name": "a.pdf", "base64": B64},
        {"name": "a.pdf", "data": f"data:application/pdf;base64,{B64}"},
        {"filename": "a.pdf", "content": B64.rstrip("=")},
        {"filename": "a.pdf", "content": base64.urlsafe_b64encode(PDF).decode()},
        {"filename": "a.pdf", "content": base64.encodebytes(PDF).decode()},
    ],
)
def test_bytes_are_kept_when_base64_was_sent(value: dict[str, str]) -> None:  # 34
    inquiry = sent({"file-1": value, "your-name": "Ivan"})
    assert [(file.name, file.data) for file in inquiry.files] == [("a.pdf", PDF)]
    assert inquiry.fields == {"file-1": {"file": "a.pdf"}}


def test_bytes_are_kept_when_base64_is_longer_than_a_text_may_be() -> None:
    content = bytes(range(256)) * 8000  # 2 MB: over the limits of texts
    inquiry = sent({"name": "Ivan", "scan": {"filename": "s.bin", "content": base64.b64encode(content).decode()}})
    assert inquiry.files[0].data == content
    assert inquiry.warnings == ()
    as_form = posted(urlencode({"sign": "data:image/png;base64," + base64.b64encode(content).decode()}).encode(), "")
    assert as_form.files[0].data == content
    assert (as_form.files[0].name, as_form.files[0].type) == ("file", "image/png")


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Ivan", "data": "test"},
        {"name": "Ivan", "content": "aGVsbG8="},
        {"filename": "a.pdf", "content": "no base64, words!"},
        "data:text/plain,hello",
        "data:;base64,***",
    ],
)
def test_value_stays_a_field_when_it_is_no_file(value: Any) -> None:
    inquiry = sent({"thing": value})
    assert inquiry.files == ()


@pytest.mark.parametrize(
    "name, value, names",
    [
        ("file-1", "https://shop.example.com/wp-content/uploads/a.pdf", ["a.pdf"]),  # 34
        ("file-1", ["https://shop.example.com/a.pdf", "https://shop.example.com/b.pdf"], ["a.pdf", "b.pdf"]),
        ("upload", "https://shop.example.com/a.pdf, https://shop.example.com/b.pdf", ["a.pdf", "b.pdf"]),
        ("Прикрепите файл", "https://shop.example.com/%D0%BF%D0%BB%D0%B0%D0%BD.pdf", ["план.pdf"]),
        ("resume", {"url": "https://f.example.com/x?id=1", "filename": "cv.pdf", "size": 10}, ["cv.pdf"]),
        (
            "Attachments",
            [{"id": "1", "url": "https://f.example.com/1", "name": "a.png", "mimeType": "image/png"}],
            ["a.png"],
        ),
    ],
)
def test_address_is_a_file_when_the_name_says_so(name: str, value: Any, names: list[str]) -> None:
    inquiry = sent({name: value})
    assert [file.name for file in inquiry.files] == names
    assert all(file.url.startswith("https://") and file.data is None and not file.note for file in inquiry.files)


def test_address_is_a_file_when_its_type_says_so() -> None:
    answers = [{"type": "file_url", "file_url": "https://f.example.com/a.pdf", "field": {"id": "x"}}]
    assert [file.url for file in sent({"answers": answers}).files] == ["https://f.example.com/a.pdf"]
    described = {"fields": [{"name": "f1", "type": "upload", "value": "https://f.example.com/a.pdf"}]}
    assert [file.url for file in sent(described).files] == ["https://f.example.com/a.pdf"]


@pytest.mark.parametrize("name", ["message", "comment", "website", "your-name", "link", "field_1", "profile"])
def test_link_is_no_file_when_a_person_wrote_it(name: str) -> None:
    assert sent({name: "https://evil.example.com/a.pdf"}).files == ()


@pytest.mark.parametrize(
    "name, cleaned",
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ivan\\plan.pdf", "plan.pdf"),
        ("a\x00b\r\n\u202e.pdf", "ab.pdf"),
        ("..", "file"),
        ("", "file"),
        (" plan .pdf ", "plan .pdf"),
        ("x" * 500 + ".pdf", "x" * 188 + ".pdf"),
    ],
)
def test_name_is_harmless_when_it_was_not(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


def test_address_keeps_its_query_when_it_is_signed() -> None:
    url = "https://f.example.com/a.pdf?sig=" + quote("a b&c", safe="")
    assert sent({"file": url}).files[0].url == url
