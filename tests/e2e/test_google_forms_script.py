"""The Apps Script of the Google Forms page, run in Chromium over a spreadsheet that behaves as Google's does.

What cannot be seen here is Google: the services are stand-ins with the few methods that the script uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page
from walking import chromium

from connectors.kit import Request, registry
from crm_core.parsed import Inquiry

_STAND_INS = """
  var posts = [], up = true, made = 0, triggers = [];
  var cells = [['Timestamp', 'Your name', 'Phone', 'Phone'], [new Date(0), 'Old answer', '', '']];
  var sheet = {
    getRange: function (row, column, rows, columns) {
      function show(v) { return v === undefined ? '' : v instanceof Date ? v.toDateString() : String(v); }
      return {
        getRow: function () { return row; }, getSheet: function () { return sheet; },
        getValue: function () { var v = (cells[row - 1] || [])[column - 1]; return v === undefined ? '' : v; },
        setValue: function (v) { (cells[row - 1] = cells[row - 1] || [])[column - 1] = v; },
        getDisplayValues: function () {
          var line = cells[row - 1] || [], shown = [];
          for (var n = 0; n < columns; n++) shown.push(show(line[column - 1 + n]));
          return [shown];
        }
      };
    },
    getLastRow: function () { return cells.length; },
    getLastColumn: function () { return Math.max.apply(null, cells.map(function (line) { return line.length; })); },
    getFormUrl: function () { return 'https://docs.google.com/forms/d/FORMID/viewform'; },
    getName: function () { return 'Form responses 1'; },
    getParent: function () { return {getId: function () { return 'BOOKID'; }}; }
  };
  var SpreadsheetApp = {
    getActive: function () { return {getSheets: function () { return [sheet]; }}; }, flush: function () {}
  };
  function trigger(name) {
    var one = {name: name};
    ['forSpreadsheet', 'onFormSubmit', 'timeBased', 'everyMinutes'].forEach(function (step) { one[step] = function () { return one; }; });
    one.create = function () { triggers.push(name); };
    return one;
  }
  var ScriptApp = {getProjectTriggers: function () { return []; }, deleteTrigger: function () {}, newTrigger: trigger};
  var Utilities = {getUuid: function () { return 'uuid-' + (++made); }, sleep: function () {}};
  var LockService = {getDocumentLock: function () { return {waitLock: function () {}, releaseLock: function () {}}; }};
  var UrlFetchApp = {fetch: function (url, options) {
    if (!up) throw new Error('Address unavailable');
    posts.push(JSON.parse(options.payload));
    return {getResponseCode: function () { return 200; }};
  }};
  function answer(values) {
    cells.push(values);
    onAnswer({range: sheet.getRange(cells.length, 1)});
  }
"""


@pytest.fixture(scope="module")
def script() -> str:
    (found,) = re.findall(r"(?s)```javascript\n(.*?)```", registry.get("google_forms").docs)
    return f"{_STAND_INS}\n{found}"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


def _run(page: Page, script: str, steps: str) -> dict[str, Any]:
    shown = "JSON.stringify({posts: posts, triggers: triggers, states: cells.map(function (line) { return String(line[4]); })})"
    found: dict[str, Any] = json.loads(page.evaluate(f"(function () {{ {script}\n{steps}; return {shown}; }})()"))
    return found


def test_old_answers_stay_here_when_the_script_is_installed(page: Page, script: str) -> None:
    found = _run(page, script, "install()")
    assert found["posts"] == [{"source": "google_forms", "check": "yes"}]
    assert found["states"] == ["Leadhub", "before"]
    assert found["triggers"] == ["onAnswer", "sendWaiting"]


def test_answer_becomes_an_inquiry_when_the_form_is_sent(page: Page, script: str) -> None:
    at = "new Date('2026-01-15T11:59:58Z')"
    found = _run(page, script, f"install(); answer([{at}, 'Anna', '+1 555 555-0120', '+1 555 555-0121'])")
    _, post = found["posts"]
    assert found["states"][2] == "sent uuid-1"
    connector = registry.get("google_forms")
    request = Request("POST", "", "", {"content-type": "application/json"}, json.dumps(post).encode(), datetime.now(UTC))
    config = connector.config_model(region="US", timezone="UTC")
    (inquiry,) = connector.parse(request, config)
    assert isinstance(inquiry, Inquiry)
    assert (inquiry.name, inquiry.phones) == ("Anna", ("+1 555 555-0120", "+1 555 555-0121"))
    assert (inquiry.form_id, inquiry.form_name) == ("FORMID", "Form responses 1")
    assert inquiry.submitted_at == datetime(2026, 1, 15, 11, 59, 58, tzinfo=UTC)
    assert connector.provider_key is not None
    assert connector.provider_key(request, config) == "uuid-1"


def test_answer_is_sent_later_under_its_id_when_the_hub_was_away(page: Page, script: str) -> None:
    steps = (
        "install(); up = false; answer([new Date(), 'Anna', '1', '']); var was = String(cells[2][4]); up = true; sendWaiting()"
    )
    found = _run(page, script, f"{steps}; triggers = [was]; sendWaiting()")
    assert found["triggers"] == ["waiting uuid-1"]
    assert [post.get("id") for post in found["posts"]] == [None, "uuid-1"]
    assert found["states"][1:] == ["before", "sent uuid-1"]


def test_changed_answer_is_another_submission_when_sent_again(page: Page, script: str) -> None:
    steps = "answer([new Date(), 'Anna', '1', '']); cells[2][1] = 'Anna Example'; onAnswer({range: sheet.getRange(3, 1)})"
    found = _run(page, script, f"install(); {steps}")
    assert [post.get("id") for post in found["posts"]] == [None, "uuid-1", "uuid-2"]


def test_answer_that_no_trigger_told_of_is_sent_when_the_round_finds_it(page: Page, script: str) -> None:
    found = _run(page, script, "install(); cells.push([new Date(), 'Boris', '2', '']); sendWaiting()")
    assert [post.get("id") for post in found["posts"]] == [None, "uuid-1"]
