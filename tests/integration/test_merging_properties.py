"""Merged, more inquiries and merges, undone: as if the two had never been merged. Whatever comes in between, through the real
intake, beside the same story of people who were never merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Literal

import orjson
import pytest
from desk import Desk
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from principals import user
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.merging.commands import merge_contacts
from ingest.processing.merge_undo import undo_merge

HEAD = user(2, "head")
NAMES = {"A": "Иван Петров", "B": "Пётр Иванов", "C": ""}
_worlds = count(1)


@dataclass(frozen=True)
class Step:
    """One thing that happens after the merge."""

    kind: Literal["form", "missed", "talk", "merge C into A"]
    who: str = "A"
    also: str = ""  # another one whose identifier the form names too
    named: bool = True
    new_address: bool = False


@dataclass(frozen=True)
class Story:
    first: tuple[str, ...]  # who had come before, in order; A and B at least once
    by: Literal["hand", "inquiry"]
    steps: tuple[Step, ...]


def _steps() -> st.SearchStrategy[Step]:
    people = st.sampled_from("ABC")
    return st.one_of(
        st.builds(Step, st.just("form"), people, st.sampled_from(["", "A", "B", "C"]), st.booleans(), st.booleans()),
        st.builds(Step, st.sampled_from(["missed", "talk"]), st.sampled_from("AB")),
        st.just(Step("merge C into A")),
    )


STORIES = st.builds(
    Story,
    st.permutations(["A", "B", "C"]).flatmap(lambda order: st.sampled_from([tuple(order), (*order, "B"), (*order, "A", "B")])),
    st.sampled_from(["hand", "inquiry"]),
    st.lists(_steps(), min_size=0, max_size=6).map(tuple),
)


@dataclass
class World:
    """One telling of the story, with numbers of its own; they are called by letters in what is compared."""

    desk: Desk
    number: int
    story: Story
    merged: bool
    uids: list[str] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)  # value → what it is called

    def phone(self, who: str) -> str:
        return self._called(f"+7921{self.number:04d}{ord(who) - ord('A'):03d}", f"phone {who}")

    def email(self, who: str) -> str:
        return self._called(f"{who.lower()}{self.number}@firm{self.number}{who.lower()}.ru", f"email {who}")

    def _called(self, value: str, name: str) -> str:
        self.addresses[value] = name
        return value

    def name(self, who: str) -> str:
        return "Иван Петров" if self.story.by == "inquiry" and who == "B" else NAMES[who]

    def form(self, **fields: str) -> None:
        self.uids.append(self.desk.form(message=f"Вопрос {len(self.uids)}", **fields))
        self.desk.drain("form")

    def call(self, who: str, *, talk: bool) -> None:
        call_id = f"w{self.number}-{len(self.uids)}"
        self.uids.append(self.desk.call("newCall", call_id, self.phone(who)))
        if talk:
            self.uids.append(self.desk.call("answer", call_id, self.phone(who), ext="101"))
        self.uids.append(self.desk.call("hangup", call_id, self.phone(who), cause="normalClearing" if talk else "noAnswer"))
        self.desk.drain("call")

    def contact(self, who: str) -> int:
        value = self.email("C") if who == "C" else self.phone(who)
        return int(
            self.desk.one(
                "SELECT ci.contact_id FROM contact_identifier ci JOIN identifier i ON i.id = ci.identifier_id WHERE i.value = %s"
                " ORDER BY ci.contact_id LIMIT 1",
                value,
            )
        )

    def root(self, who: str) -> int:
        return int(self.desk.one("SELECT root_id FROM contact WHERE id = %s", self.contacts[who]))

    def tell(self) -> None:
        for who in self.story.first:
            self.form(**self._own(who, named=True))
        self.contacts = {who: self.contact(who) for who in "ABC"}
        merge_id = self._join() if self.merged else self._keep_apart()
        for step in self.story.steps:
            self._take(step)
        if merge_id is not None:
            with self.desk.engine.begin() as connection:
                undo_merge(connection, HEAD, merge_id, "", datetime.now(UTC))

    def _own(self, who: str, *, named: bool) -> dict[str, str]:
        own = {"email": self.email(who)} if who == "C" else {"phone": self.phone(who)}
        return own | ({"name": self.name(who)} if named and self.name(who) else {})

    def _join(self) -> int:
        if self.story.by == "hand":
            with self.desk.engine.begin() as connection:
                return merge_contacts(connection, HEAD, self.root("A"), self.root("B"), "", datetime.now(UTC))
        self._both()
        return int(
            self.desk.one(
                "SELECT id FROM merge_event WHERE loser_id = ANY(%s) AND undone_at IS NULL",
                [self.contacts["A"], self.contacts["B"]],
            )
        )

    def _keep_apart(self) -> None:
        a, b = sorted((self.contacts["A"], self.contacts["B"]))
        self.desk.connection.execute("INSERT INTO suggestion (a_id, b_id, why, state) VALUES (%s, %s, '{}', 'different')", (a, b))
        if self.story.by == "inquiry":
            self._both()

    def _both(self) -> None:
        """The inquiry that shows that A and B are one: it names both numbers and the name of both."""
        self.form(phone=self.phone("A"), phone2=self.phone("B"), name=self.name("A"))

    def _take(self, step: Step) -> None:
        if step.kind == "merge C into A":
            if self.root("C") in (self.root("A"), self.root("B")):
                return
            with self.desk.engine.begin() as connection:
                merge_contacts(connection, HEAD, self.contacts["A"], self.contacts["C"], "", datetime.now(UTC))
        elif step.kind == "form":
            fields = self._own(step.who, named=step.named)
            if step.also and step.also != step.who:
                other = self._own(step.also, named=False)
                fields |= {("phone2" if kind == "phone" and "phone" in fields else kind): value for kind, value in other.items()}
            if step.new_address and "email" not in fields:
                fields["email"] = self.email(f"n{step.who}")
            self.form(**fields)
        else:
            self.call(step.who, talk=step.kind == "talk")

    # --- what is compared

    def kept(self) -> Mapping[str, Any]:
        events = {self.desk.event(uid)["id"]: n for n, uid in enumerate(self.uids)}
        contacts = {row_id: who for who, row_id in self.contacts.items()}
        ids = list(contacts)
        leads = self.desk.rows("SELECT * FROM lead WHERE event_id = ANY(%s) ORDER BY id", list(events))
        lead = {row["id"]: f"of event {events[row['event_id']]}" for row in leads}
        return {
            "contacts": {
                contacts[row["id"]]: (contacts[row["root_id"]], row["name"], row["company"], row["owner_id"],
                                      str(row["domain"] or "").replace(str(self.number), "N"))
                for row in self.desk.rows(
                    "SELECT c.*, f.name AS domain FROM contact c LEFT JOIN contact f ON f.id = c.company_id WHERE c.id = ANY(%s)", ids
                )
            },
            "others": self.desk.one(
                "SELECT count(*) FROM touch t WHERE event_id = ANY(%s) AND contact_id <> ALL(%s)", list(events), ids
            ),
            # Whose each is. That somebody else named it once as well is noted only where the two are two when it comes.
            "identifiers": sorted(
                (self.addresses[row["value"]], contacts.get(row["contact_id"]), row["strength"])
                for row in self.desk.rows(
                    "SELECT * FROM contact_identifier ci JOIN identifier i ON i.id = ci.identifier_id"
                    " WHERE i.value = ANY(%s) AND ci.exclusive",
                    list(self.addresses),
                )
            ),
            "leads": sorted(
                (lead[row["id"]], contacts.get(row["contact_id"]), row["state"], row["closed_code"], row["touches"], row["title"],
                 row["message"], str(row["fields"]), str(row["attribution"]), row["channel"], row["owner_id"],
                 lead.get(row["repeat_of"]), row["received_at"] == row["last_touch_at"])
                for row in leads
            ),
            "touches": sorted(
                (events[row["event_id"]], row["seq"], row["kind"], contacts.get(row["contact_id"]), str(lead.get(row["lead_id"])),
                 row["title"], row["text"])
                for row in self.desk.rows("SELECT * FROM touch WHERE event_id = ANY(%s)", list(events))
            ),
            "calls": sorted(
                (row["call_key"].partition("-")[2], row["outcome"], contacts.get(row["contact_id"]), str(lead.get(row["lead_id"])))
                for row in self.desk.rows("SELECT * FROM call WHERE call_key LIKE %s", f"w{self.number}-%")
            ),
            "tasks": sorted(
                (self.addresses[row["phone"]], row["state"], row["missed"], contacts.get(row["contact_id"]), str(lead.get(row["lead_id"])))
                for row in self.desk.rows("SELECT * FROM activity WHERE phone = ANY(%s)", list(self.addresses))
            ),
            "events": [
                (n, row["outcome"], contacts.get(row["contact_id"]), str(lead.get(row["lead_id"])))
                for n, row in enumerate(map(self.desk.event, self.uids))
            ],
        }  # fmt: skip


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine, owners=("Anna",))
    yield built
    built.close()


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORIES)
@example(Story(("A", "C", "B"), "hand", (Step("missed", "B"), Step("form", "B", "C", named=False))))
@example(Story(("B", "C", "A"), "hand", (Step("form", "A"), Step("form", "B", "C", named=False))))
def test_undone_is_as_never_merged(desk: Desk, story: Story) -> None:
    worlds = [World(desk, next(_worlds), story, merged) for merged in (True, False)]
    for world in worlds:
        world.tell()
    undone, never = (world.kept() for world in worlds)
    for part, told in never.items():
        assert undone[part] == told, f"{part}: {orjson.dumps(undone[part], default=str, option=orjson.OPT_NON_STR_KEYS).decode()}"
