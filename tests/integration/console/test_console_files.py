"""Files on the lead's page, from the entrance to the browser's download."""

from __future__ import annotations

import pytest

PDF = b"%PDF-1.7 a plan of a house"


def _body(name: str, content: bytes) -> tuple[bytes, str]:
    lines = [
        b"--edge", b'Content-Disposition: form-data; name="email"', b"", b"anna@example.com",
        b"--edge", f'Content-Disposition: form-data; name="plan"; filename="{name}"'.encode(), b"", content, b"--edge--", b"",
    ]  # fmt: skip
    return b"\r\n".join(lines), "multipart/form-data; boundary=edge"


def test_file_is_on_the_page_and_can_be_saved(hub) -> None:  # type: ignore[no-untyped-def]
    hub.send(*_body("план <b>.pdf", PDF))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    [(file_id,)] = hub.rows("SELECT id FROM attachment")
    head = hub.signed_in("head")
    page = head.get(f"/console/leads/{lead_id}").text
    assert f'href="/console/files/{file_id}"' in page
    assert "план &lt;b&gt;.pdf" in page
    answer = head.get(f"/console/files/{file_id}")
    assert (answer.status_code, answer.data) == (200, PDF)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    hub.rows("UPDATE lead SET owner_id = (SELECT id FROM owner WHERE duty) RETURNING id")
    assert hub.signed_in("manager").get(f"/console/files/{file_id}").status_code == 404


@pytest.mark.parametrize(
    ("state", "note", "words"),
    [("to_fetch", "", "is being fetched"), ("failed", "http_404", "no longer there"), ("refused", "too_large", "larger than")],
)
def test_page_says_why_when_there_is_no_content(hub, state: str, note: str, words: str) -> None:  # type: ignore[no-untyped-def]
    hub.send(*_body("plan.pdf", PDF))
    hub.rows("UPDATE attachment SET state = :state, note = :note RETURNING id", state=state, note=note)
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    [(file_id,)] = hub.rows("SELECT id FROM attachment")
    head = hub.signed_in("head")
    page = head.get(f"/console/leads/{lead_id}").text
    assert words in page
    assert f"/console/files/{file_id}" not in page
    assert head.get(f"/console/files/{file_id}").status_code == 404
