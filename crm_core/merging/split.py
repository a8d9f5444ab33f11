"""How a merge is taken apart: a simulation of what followed it, as if the two had never been joined. Pure.

What came before the merge goes back to whoever it came to. What came later goes to whoever owns the identifier that it came
with, one thing after the other, so that an address that was new then is its owner's from there on. Later merges are followed
too: whoever was joined on the evidence of one of the two goes with that one. What a person decided since is left as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from crm_core.batch.windows import DEFAULT, Windows
from crm_core.identity.names import clean_name, compare
from crm_core.leads.rules import LeadVerdict, decide_lead

#: `closed_code` of a lead that closed because its contact has another one.
_MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a contact's row says."""

    name: str
    company: str
    owner_id: int | None
    owner_since: str | None  # as the row has it, in ISO form
    last_seen_at: datetime
    owner_bound_until: str | None = None  # as the row has it
    company_id: int | None = None  # the contact of the company that they write for


@dataclass(frozen=True, slots=True)
class MergeFact:
    id: int
    winner_id: int
    loser_id: int
    is_automatic: bool
    event_id: int | None
    last_touch: int  # of both, when they were merged
    winner_before: Shown | None  # None: the version before did not keep it
    winner_after: Shown | None  # of a merge by hand: what it chose
    named: tuple[int, ...]  # and whom the person named, who may have answered as somebody else by then


@dataclass(frozen=True, slots=True)
class TouchFact:
    id: int
    contact_id: int
    lead_id: int | None
    event_id: int | None
    seq: int
    kind: str
    is_talk: bool  # a call that makes no lead of its own
    received_at: datetime
    identifiers: tuple[int, ...]
    name: str
    company: str
    is_counted: bool
    double_of: int | None
    channel: str = ""
    windows: Windows = DEFAULT  # of the source that it came from


@dataclass(frozen=True, slots=True)
class LeadFact:
    id: int
    line: str
    state: str  # "spam" of one that a person called so
    closed_code: str
    closed_at: datetime | None
    last_touch_at: datetime
    owner_id: int | None
    event_id: int
    event_seq: int
    repeat_of: int | None
    contact_id: int
    received_at: datetime
    channel: str = ""


@dataclass(frozen=True, slots=True)
class LinkFact:
    identifier_id: int
    contact_id: int
    event_id: int | None
    is_strong: bool
    is_exclusive: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything that answers as the root, and every merge that is not undone among it, the oldest first."""

    root: int
    contacts: Mapping[int, Shown]
    merges: Sequence[MergeFact]
    touches: Sequence[TouchFact]  # by id
    leads: Sequence[LeadFact]
    links: Sequence[LinkFact]  # of identifiers that may tell whose an inquiry is
    folded: frozenset[int]  # leads that the undone merge or a later one closed
    companies: Mapping[int, int] = field(default_factory=dict)  # identifier → contact of the company that it belongs to


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead that there would have been: made of the inquiry that would have made it."""

    number: int  # negative: how `Plan.touches` names it
    touch_id: int
    contact_id: int
    line: str
    owner_id: int | None
    repeat_of: int | None


@dataclass(frozen=True, slots=True)
class MovedTouch:
    touch_id: int
    contact_id: int
    lead_id: int | None  # negative: of Plan.new_leads
    before_lead_id: int | None
    outcome: str | None  # of its event; None: as it was
    counts: bool  # in the figures of its leads


@dataclass(frozen=True, slots=True)
class RedoneMerge:
    """A later merge that holds, with other sides or other values before it."""

    id: int
    winner_id: int
    loser_id: int
    winner_before: Shown
    folds: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Plan:
    """What an undo writes."""

    roots: tuple[int, int] = (0, 0)  # the two persons that there are again: of the merge's winner, of its loser
    root_of: dict[int, int] = field(default_factory=dict)  # of every contact of the cluster
    shown: dict[int, Shown] = field(default_factory=dict)  # rows that change
    leads: dict[int, int] = field(default_factory=dict)  # lead → contact, where it changes
    reopened: list[int] = field(default_factory=list)  # leads that were folded
    closed: list[int] = field(default_factory=list)  # leads that fold now and had not
    repeats: dict[int, int | None] = field(default_factory=dict)  # lead → the one that it repeats, where it changes
    new_leads: list[NewLead] = field(default_factory=list)
    touches: list[MovedTouch] = field(default_factory=list)
    links: list[tuple[int, int, int]] = field(default_factory=list)  # identifier, from contact, to contact
    merges: list[RedoneMerge] = field(default_factory=list)
    conflicts: list[tuple[str, int]] = field(default_factory=list)  # what could not be put back, with the id that it is about


@dataclass(slots=True, eq=False)
class _Group:
    """Contacts that are one person, in the simulation."""

    root: int
    contacts: set[int]
    shown: Shown
    leads: list[int] = field(default_factory=list)
    joined: _Group | None = None

    @property
    def now(self) -> _Group:
        return self if self.joined is None else self.joined.now


def split(cluster: Cluster, undone: MergeFact) -> Plan:
    return _Simulation(cluster, undone).run()


class _Simulation:
    def __init__(self, cluster: Cluster, undone: MergeFact) -> None:
        self.cluster, self.undone = cluster, undone
        self.plan = Plan()
        self.leads = {lead.id: lead for lead in cluster.leads}
        self.births = {(lead.event_id, lead.event_seq): lead for lead in cluster.leads}
        self.touches = {touch.id: touch for touch in cluster.touches}
        self.of_event: dict[int, list[TouchFact]] = {}
        for touch in cluster.touches:
            if touch.event_id is not None:
                self.of_event.setdefault(touch.event_id, []).append(touch)
        self.later_merges = [merge for merge in cluster.merges if merge.id > undone.id]
        self.group_of = self._groups_before()
        self.winner, self.loser = self.group_of[undone.winner_id], self.group_of[undone.loser_id]
        if undone.winner_before is not None:
            self.winner.shown = undone.winner_before
        self.lead_group: dict[int, _Group] = {}
        self.touch_group: dict[int, _Group] = {}
        self.owned: dict[int, list[tuple[_Group, LinkFact]]] = {}  # by identifier
        self.later_links: dict[int, list[LinkFact]] = {}  # by the event that brought them
        self._sort_links()
        self._place_early_leads()
        self._number = 0
        self.carried_on: dict[int, int] = {}  # folded lead → the one that carries on, by later merges as they are now
        self.root = cluster.root

    # --- as it was before the merge

    def _groups_before(self) -> dict[int, _Group]:
        """Persons as they were just before the merge."""
        into = {merge.loser_id: merge.winner_id for merge in self.cluster.merges if merge.id < self.undone.id}

        def root(contact: int) -> int:
            while contact in into:
                contact = into[contact]
            return contact

        groups: dict[int, _Group] = {}
        for contact in self.cluster.contacts:
            top = root(contact)
            groups.setdefault(top, _Group(top, set(), self.cluster.contacts[top])).contacts.add(contact)
        for merge in reversed(self.later_merges):  # the row of one that was a winner since shows what it became by that
            if merge.winner_id in groups and merge.winner_before is not None:
                groups[merge.winner_id].shown = merge.winner_before
        return {contact: group for group in groups.values() for contact in group.contacts}

    def _is_later(self, touch: TouchFact) -> bool:
        """It came when the two were one already."""
        ours = (self.winner.now, self.loser.now)
        return touch.id > self.undone.last_touch and self.group_of[touch.contact_id].now in ours

    def _sort_links(self) -> None:
        later = {touch.event_id for touch in self.cluster.touches if touch.id > self.undone.last_touch and touch.event_id}
        for link in self.cluster.links:
            if link.event_id in later:
                self.later_links.setdefault(link.event_id or 0, []).append(link)
            else:
                self.owned.setdefault(link.identifier_id, []).append((self.group_of[link.contact_id], link))

    def _place_early_leads(self) -> None:
        """A lead is whose its first touch is; one whose first touch came later is placed when its turn comes."""
        first = {(touch.event_id, touch.seq): touch for touch in self.cluster.touches if touch.event_id is not None}
        for lead in self.cluster.leads:
            birth = first.get((lead.event_id, lead.event_seq))
            group = self.group_of[birth.contact_id if birth is not None else lead.contact_id]
            if birth is not None and birth.id > self.undone.last_touch and group in (self.winner, self.loser):
                continue
            self.lead_group[lead.id] = group
            group.leads.append(lead.id)
        for group in {id(one): one for one in self.group_of.values()}.values():
            self._reopen(group)

    def _reopen(self, group: _Group) -> None:
        """Leads that this merge or a later one folded go on, if nobody has decided about them and no other one does."""
        folded = [lead for one in group.leads if (lead := self.leads[one]).state == "closed" and lead.closed_code == _MERGED]
        for lead in folded:
            if lead.id not in self.cluster.folded:
                continue
            if self._open(group, lead.line) is not None:
                self.plan.conflicts.append(("another_open_lead", lead.id))
                continue
            self.leads[lead.id] = replace(lead, state="open", closed_code="", closed_at=None)

    # --- what followed

    def run(self) -> Plan:
        waiting = list(self.later_merges)
        for touch in self.cluster.touches:
            while waiting and waiting[0].last_touch < touch.id:
                self._join(waiting.pop(0))
            if self._is_later(touch):
                self._take(touch)
            else:
                for link in self.later_links.pop(touch.event_id or 0, ()):  # of somebody who was joined later
                    self.owned.setdefault(link.identifier_id, []).append((self.group_of[link.contact_id], link))
        for merge in waiting:
            self._join(merge)
        return self._finish()

    def _join(self, merge: MergeFact) -> None:
        """A later merge: between strangers as it was; of one of the two, with that one whose evidence it was."""
        winner, loser = self.group_of[merge.winner_id].now, self.group_of[merge.loser_id].now
        ours = [group for group in (winner, loser) if group in (self.winner.now, self.loser.now)]
        if ours:
            stranger = loser if winner is ours[0] else winner
            side = self._side_of_merge(merge, ours[0], stranger)
            if merge.is_automatic:
                winner, loser = sorted((side, stranger), key=lambda group: group.root)
            else:
                winner, loser = (side, stranger) if winner is ours[0] else (stranger, side)
        if winner is loser:
            return
        before = winner.shown
        folds = self._fold(winner, loser, by_hand=not merge.is_automatic)
        self.plan.shown[loser.root] = loser.shown
        self.plan.merges.append(RedoneMerge(merge.id, winner.root, loser.root, before, folds))
        after = merge.winner_after if not ours or before == merge.winner_before else None
        winner.shown = after or replace(
            before, name=before.name or loser.shown.name,
            owner_id=before.owner_id if before.owner_id is not None else loser.shown.owner_id,
            last_seen_at=max(before.last_seen_at, loser.shown.last_seen_at),
            company_id=before.company_id if before.company_id is not None else loser.shown.company_id,
        )  # fmt: skip
        winner.contacts |= loser.contacts
        winner.leads += loser.leads
        loser.joined = winner

    def _side_of_merge(self, merge: MergeFact, ours: _Group, stranger: _Group) -> _Group:
        if not merge.is_automatic or merge.event_id is None:
            named = [self.group_of[contact].now for contact in merge.named if contact in self.group_of]
            return next((group for group in named if group in (self.winner.now, self.loser.now)), ours)
        for touch in self.of_event.get(merge.event_id, ()):
            found = self._by_identifiers(touch, but=stranger)
            if found is not None:
                return found
        return ours

    def _fold(self, winner: _Group, loser: _Group, *, by_hand: bool) -> tuple[tuple[int, int], ...]:
        """Of two open leads of a line: the winner's carries on where the hub merged, the older one where a person did."""
        folds = []
        for one in loser.leads:
            lead = self.leads[one]
            kept = self._open(winner, lead.line) if lead.state == "open" else None
            if kept is not None:
                if by_hand and (lead.received_at, lead.id) < (kept.received_at, kept.id):
                    lead, kept = kept, lead
                self.leads[lead.id] = replace(lead, state="closed", closed_code=_MERGED)
                folds.append((lead.id, kept.id))
                self.carried_on[lead.id] = kept.id
        return tuple(folds)

    def _take(self, touch: TouchFact) -> None:
        side = self._side(touch)
        self.touch_group[touch.id] = side
        for link in self.later_links.pop(touch.event_id or 0, ()):
            self.owned.setdefault(link.identifier_id, []).append((side, link))
            if link.contact_id != side.root:
                self.plan.links.append((link.identifier_id, link.contact_id, side.root))
        lead_id, outcome = self._lead(touch, side)
        if touch.event_id is not None:
            self._complete(side, touch)
        here = self.group_of[touch.contact_id].now is side and (touch.event_id is None or touch.contact_id == side.root)
        if not here or lead_id != touch.lead_id or outcome is not None:
            contact_id = touch.contact_id if here else side.root
            self.plan.touches.append(
                MovedTouch(touch.id, contact_id, lead_id, touch.lead_id, outcome, touch.is_counted and touch.event_id is not None)
            )

    def _side(self, touch: TouchFact) -> _Group:
        if touch.event_id is None:  # written by hand: with its lead
            if touch.lead_id in self.lead_group:
                return self.lead_group[touch.lead_id].now
            return self.group_of[touch.contact_id].now
        found = self._by_identifiers(touch)
        if found is not None:
            return found
        if touch.double_of in self.touch_group:
            return self.touch_group[touch.double_of].now
        if touch.double_of in self.touches:
            return self.group_of[self.touches[touch.double_of].contact_id].now
        if touch.lead_id in self.lead_group and not self._is_birth(touch):
            return self.lead_group[touch.lead_id].now
        return self.group_of[touch.contact_id].now

    def _by_identifiers(self, touch: TouchFact, but: _Group | None = None) -> _Group | None:
        """Whose the identifiers are that it came with: strong ones first, in their order; of several users whose name agrees."""
        ours = (self.winner.now, self.loser.now)
        for strong in (True, False):
            found: list[_Group] = []
            for identifier in touch.identifiers:
                users = [(g.now, link) for g, link in self.owned.get(identifier, ()) if link.is_strong == strong]
                users = [(g, link) for g, link in users if g in ours and g is not but]
                users.sort(key=lambda one: (not one[1].is_exclusive, one[0].root))
                agreeing = [g for g, _ in users if compare(clean_name(touch.name), g.shown.name) == "agree"]
                found += [*agreeing, *(g for g, _ in users)][:1]
            if found:
                name = clean_name(touch.name)
                return next((g for g in found if not name or compare(name, g.shown.name) != "conflict"), found[0])
        return None

    def _is_birth(self, touch: TouchFact) -> bool:
        lead = self.births.get((touch.event_id or 0, touch.seq))
        return lead is not None and lead.id == touch.lead_id

    # --- leads

    def _open(self, group: _Group, line: str) -> LeadFact | None:
        return next((lead for one in group.leads if (lead := self.leads[one]).line == line and lead.state == "open"), None)

    def _latest(self, group: _Group, line: str) -> LeadFact | None:
        found = [lead for one in group.leads if (lead := self.leads[one]).line == line]
        return max(
            found,
            key=lambda one: (one.state == "open", one.state != "spam", one.closed_code != _MERGED, _age(one.id)),
            default=None,
        )

    def _lead(self, touch: TouchFact, side: _Group) -> tuple[int | None, str | None]:
        """The lead that the touch stands on, and the outcome of its event where that is another now."""
        if touch.event_id is None:
            return touch.lead_id, None
        if self._is_birth(touch):
            return self._born(touch, side)
        if touch.lead_id is None:
            return None, None
        if touch.lead_id in self.lead_group and self.lead_group[touch.lead_id].now is side:
            lead_id = touch.lead_id
            while lead_id in self.carried_on:  # it came after the merge that folds this lead now
                lead_id = self.carried_on[lead_id]
            return lead_id, None
        line = self.leads[touch.lead_id].line if touch.lead_id in self.leads else ""
        latest = self._latest(side, line)
        if (
            latest is not None
            and latest.state not in ("open", "spam")
            and latest.closed_at
            and latest.closed_at > touch.received_at
        ):
            return latest.id, None  # it was open then
        if touch.is_talk:
            return (latest.id if latest is not None and latest.state == "open" else None), None
        decided = _decided(latest, touch) if latest is not None else None
        if decided is not None and decided.action == "touch" and latest is not None:
            return latest.id, None
        self._number -= 1
        repeats = latest.id if latest is not None and decided is not None and decided.action in ("repeat", "reopen") else None
        owner = side.shown.owner_id
        if owner is None:
            owner = latest.owner_id if latest is not None else self.leads[touch.lead_id].owner_id
        assert touch.event_id is not None
        made = LeadFact(
            self._number,
            line,
            "open",
            "",
            None,
            touch.received_at,
            owner,
            touch.event_id,
            touch.seq,
            repeats,
            side.root,
            touch.received_at,
            touch.channel,
        )
        self.leads[made.id] = made
        self.lead_group[made.id] = side
        side.leads.append(made.id)
        self.plan.new_leads.append(NewLead(made.id, touch.id, side.root, line, owner, repeats))
        return made.id, "repeat" if repeats is not None else "created"

    def _born(self, touch: TouchFact, side: _Group) -> tuple[int, str | None]:
        """A lead that was made since is there, and people may work on it: it goes to whoever its first inquiry belongs to."""
        lead = self.births[touch.event_id or 0, touch.seq]
        latest = self._latest(side, lead.line)
        if lead.state == "open" and latest is not None and latest.state == "open":
            # One of them was folded before and would be open again: the one that is being worked on stays.
            self.leads[latest.id] = replace(latest, state="closed", closed_code=_MERGED)
            self.plan.conflicts.append(("another_open_lead", latest.id))
            latest = self._latest(side, lead.line)
        repeats = None
        if latest is not None:
            repeats = latest.id if _decided(latest, touch).action in ("repeat", "reopen") else None
        self.lead_group[lead.id] = side
        side.leads.append(lead.id)
        if (repeats is None) == (lead.repeat_of is None) and (
            repeats == lead.repeat_of or side is self.group_of[lead.contact_id].now
        ):
            return lead.id, None
        self.plan.repeats[lead.id] = repeats
        return lead.id, "repeat" if repeats is not None else "created"

    def _complete(self, side: _Group, touch: TouchFact) -> None:
        """As the intake completes a contact: a fuller name that agrees, a company where there was none."""
        name, company = clean_name(touch.name), touch.company.strip()
        shown = side.shown
        fuller = len(name.split()) > len(shown.name.split()) and compare(name, shown.name) != "conflict"
        of_company = next((self.cluster.companies[one] for one in touch.identifiers if one in self.cluster.companies), None)
        side.shown = replace(
            shown, company_id=shown.company_id if of_company is None else of_company, name=name if name and (not shown.name or fuller) else shown.name, company=shown.company or company,
            last_seen_at=max(shown.last_seen_at, touch.received_at),
        )  # fmt: skip

    # --- what has to be written

    def _place_new_owner(self, one: _Group, other: _Group) -> None:
        """Whoever was made the owner since keeps the client whose lead they have."""
        row = self.cluster.contacts[self.root]
        if row.owner_id is None or row.owner_id in (one.shown.owner_id, other.shown.owner_id):
            return
        theirs = [g for g in (one, other) if any(self.leads[lead].owner_id == row.owner_id for lead in g.leads)]
        empty = [g for g in theirs if g.shown.owner_id is None]
        for group in empty or theirs[:1] or [one]:
            group.shown = replace(
                group.shown, owner_id=row.owner_id, owner_since=row.owner_since, owner_bound_until=row.owner_bound_until
            )

    def _finish(self) -> Plan:
        plan = self.plan
        one, other = self.winner.now, self.loser.now
        plan.roots = (one.root, other.root)
        plan.root_of = {contact: group.now.root for contact, group in self.group_of.items()}
        self._place_new_owner(one, other)
        for group in (one, other):
            plan.shown[group.root] = group.shown
        for lead_id, group in self.lead_group.items():
            lead, now = self.leads[lead_id], group.now
            if lead_id > 0 and lead.contact_id != now.root:
                plan.leads[lead_id] = now.root
        originally = {lead.id: lead for lead in self.cluster.leads}
        for lead_id, before in originally.items():
            after = self.leads[lead_id]
            if before.state == "closed" and after.state == "open":
                plan.reopened.append(lead_id)
            elif before.state == "open" and after.state == "closed":
                plan.closed.append(lead_id)
        plan.shown = {contact: shown for contact, shown in plan.shown.items() if shown != self.cluster.contacts[contact]}
        return plan


def _decided(latest: LeadFact, touch: TouchFact) -> LeadVerdict:
    """As the intake decides. A lead that a person lost is not opened again behind their back: there is a linked one."""
    return decide_lead(
        latest.state, latest.last_touch_at, latest.closed_at, touch.received_at, touch.windows,
        is_other_way=latest.channel != touch.channel,
    )  # fmt: skip


def _age(lead_id: int) -> int:
    """The newest last, those that there are not yet among them."""
    return lead_id if lead_id > 0 else (1 << 62) - lead_id
