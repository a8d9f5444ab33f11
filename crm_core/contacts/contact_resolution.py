"""Finds or makes the contact behind an arrival, in memory, and links its identifiers to him."""

from __future__ import annotations

from crm_core.batch.state import ContactState, IdentifierState, LeadState, LinkState, MergeState, Person
from crm_core.batch.steps import EventItem
from crm_core.batch.subject import Batch
from crm_core.contacts import companies, rules
from crm_core.contacts.intake import OF_NUMBER, Contacts
from crm_core.identity.names import clean_name, compare_names, first_name_key, surname_key


def join(batch: Batch, step: EventItem) -> tuple[ContactState, rules.Verdict]:
    """The contact of this arrival: attached to, merged, or new; his identifiers linked, his name completed."""
    person = step.person
    name = clean_name(person.name)
    apart = batch.part(Contacts).apart
    verdict = rules.match(
        _hits(batch, person, name), name, person.company.strip(), step.item.received_at, compare_names,
        lambda one, other: (one, other) in apart, step.item.windows.reissued,
    )  # fmt: skip
    if verdict.action == "attach":
        verdict = _within_limits(batch, person, verdict)
    for kind, value in verdict.retire:
        _retire(batch.identifiers[kind, value])
    if verdict.action == "new":
        contact = (
            ContactState(None, created=True, kind="number")
            if verdict.of_number
            else ContactState(None, name, person.company.strip(), created=True, shares_with=verdict.shares_with)
        )
        batch.new_contacts.append(contact)
    else:
        contact = verdict.contact
        for loser in verdict.losers:
            _merge(batch, contact, loser, step, verdict)
    for other in verdict.suggest:
        batch.part(Contacts).suggestions.append((contact, other, {"rule": verdict.rule, "evidence": verdict.evidence}))
    _link(batch, step, contact, verdict, name)
    _complete(contact, name, person.company.strip())
    companies.place(batch, step, contact)
    return contact, verdict


def _within_limits(batch: Batch, person: Person, verdict: rules.Verdict) -> rules.Verdict:
    """What is written in one conversation is one person's, however many numbers they give."""
    contact: ContactState = verdict.contact.root
    if contact.kind != "person" or any(key.kind == "thread" for key in person.keys):
        return verdict
    brings = {"phone": 0, "email": 0}
    for key in person.keys:
        if key.kind in brings and key.strength != "blocked" and not key.is_guess:
            links = batch.identifiers[key.kind, key.value].live_links()
            brings[key.kind] += all(link.contact.root is not contact for link in links)
    return rules.within_limits(verdict, (contact.new_phones, contact.new_emails), (brings["phone"], brings["email"]))


def _retire(identifier: IdentifierState) -> None:
    """It is somebody else's now, whose names are counted anew."""
    for link in identifier.links:
        link.retired = True
    identifier.names_seen, identifier.changed = [], True


def attach(batch: Batch, step: EventItem, contact: ContactState) -> None:
    """The contact is known by other evidence (a mail thread, a replay): only his identifiers and name are completed."""
    name = clean_name(step.person.name)
    if compare_names(name, contact.name).verdict == "conflict":
        return
    _link(batch, step, contact, rules.Verdict("attach", "known_by_thread", contact), name)
    _complete(contact, name, step.person.company.strip())
    companies.place(batch, step, contact)


def _hits(batch: Batch, person: Person, name: str) -> list[rules.Hit]:
    hits = []
    first_name = first_name_key(name) if name else None
    for key in person.keys:
        identifier = batch.identifiers.get((key.kind, key.value))
        if identifier is None or key.strength == "blocked":
            continue
        # Known only from numbers whose country was guessed, or read by a guess now: whose it is was never said.
        unsure = key.is_unsure or (key.kind == "phone" and (key.strength, identifier.strength) == ("strong", "weak"))
        strength = "weak" if (key.is_guess or unsure) and identifier.strength == "strong" else identifier.strength
        flags = (*key.flags, rules.UNSURE) if unsure and not key.is_unsure else key.flags
        best: dict[ContactState, rules.Candidate] = {}
        for link in identifier.live_links():
            root = link.contact.root
            if root not in best or link.exclusive:
                best[root] = rules.Candidate(
                    root, root.order, _called(root, link, name), link.exclusive, link.last_seen_at, root.phones, root.emails,
                    root.company, root.kind == "number",
                )  # fmt: skip
        is_other = first_name is not None and bool(identifier.names_seen) and first_name not in identifier.names_seen
        hits.append(rules.Hit(key.kind, key.value, strength, flags, tuple(best.values()), is_other))
    return hits


def _called(root: ContactState, link: LinkState, name: str) -> str:
    """Who was merged goes on using their own name as well: a person said that both are theirs."""
    if compare_names(name, root.name).verdict != "conflict":
        return root.name
    return next((own for own in link.own_names if compare_names(name, own).verdict == "agree"), root.name)


def _link(batch: Batch, step: EventItem, contact: ContactState, verdict: rules.Verdict, name: str) -> None:
    at = step.item.received_at
    first_name = first_name_key(name) if name else None
    name_key = OF_NUMBER if contact.kind == "number" else surname_key(name) if name else ""
    for key in step.person.keys:
        if key.strength == "blocked" or key.is_guess:
            continue
        identifier = batch.identifiers[key.kind, key.value]
        if identifier.strength == "blocked" or (identifier.strength == "shared" and not name_key):
            continue  # whoever is found by no name could not be told from the others there
        if key.kind == "phone" and (key.strength, identifier.strength) == ("strong", "weak"):
            identifier.strength, identifier.changed = "strong", True  # now somebody wrote it with its country
        links = identifier.live_links()
        mine = next((link for link in links if link.contact.root is contact), None)
        if mine is not None:
            mine.seen, mine.last_seen_at = True, max(mine.last_seen_at, at)
        elif links and identifier.strength == "strong" and verdict.action == "attach" and verdict.rule != "strong_identifier":
            continue  # it belongs to somebody else, who is suggested; for this inquiry it says nothing
        else:
            held = any(link.exclusive for link in links)
            certain = identifier.strength == "strong" and not key.is_unsure
            exclusive = certain and not held and verdict.rule != "weak_identifier_and_name"
            identifier.links.append(
                LinkState(contact, exclusive, key.display, at, step.item.event_id, created=True, seen=True, name_key=name_key)
            )
            if len(links) >= rules.CONTACTS_MAKE_SHARED and identifier.strength != "shared":
                identifier.strength, identifier.changed, identifier.became_shared = "shared", True, True
            if key.kind == "phone":
                contact.phones += 1
                contact.new_phones += 1
            elif key.kind == "email":
                contact.emails += 1
                contact.new_emails += 1
        is_new = identifier.strength != "shared" and first_name and first_name not in identifier.names_seen
        if first_name and is_new and key.kind != "thread" and not key.is_unsure:
            identifier.names_seen.append(first_name)
            identifier.changed = True
            if len(identifier.names_seen) >= rules.NAMES_MAKE_SHARED:
                identifier.strength, identifier.became_shared = "shared", True
    contact.last_seen_at = max(contact.last_seen_at or at, at)
    contact.changed = True


def _complete(contact: ContactState, name: str, company: str) -> None:
    """A fuller name replaces a shorter one that it agrees with; a known value is never emptied. A number has no name."""
    if contact.kind == "number":
        return
    fuller = len(name.split()) > len(contact.name.split()) and compare_names(name, contact.name).verdict != "conflict"
    if name and (not contact.name or fuller):
        contact.name = name
        contact.changed = True
    if company and not contact.company:
        contact.company = company
        contact.changed = True


def _merge(batch: Batch, winner: ContactState, loser: ContactState, step: EventItem, verdict: rules.Verdict) -> None:
    """Folds `loser` into `winner`: leads move, two open leads of one line become the older one. Logged for undo."""
    before = {
        "name": winner.name, "company": winner.company, "owner_id": winner.owner_id, "owner_since": winner.owner_since,
        "last_seen_at": winner.last_seen_at, "owner_bound_until": winner.owner_bound_until, "company_id": winner.in_company,
    }  # fmt: skip
    loser.merged_into = winner
    folded: list[LeadState] = []
    for line, lead in loser.leads.items():
        lead.contact = winner
        kept = winner.leads.get(line)
        if kept is None or kept.state == "spam":
            winner.leads[line] = lead
        elif lead.state == "open" and kept.state == "open":
            lead.state, lead.folded_into = "closed", kept
            folded.append(lead)
        elif lead.state == "open":
            winner.leads[line] = lead
    winner.owner_id = winner.owner_id or loser.owner_id
    winner.in_company = winner.in_company or loser.in_company
    winner.phones += loser.phones
    winner.emails += loser.emails
    winner.new_phones += loser.new_phones
    winner.new_emails += loser.new_emails
    winner.changed = True
    for identifier in batch.identifiers.values():
        _drop_doubled_links(identifier, winner)
    batch.merges.append(
        MergeState(winner, loser, step.item.event_id, verdict.rule, verdict.evidence, folded, loser.name, loser.owner_id, before)
    )
    if not winner.name and loser.name:
        winner.name = loser.name


def _drop_doubled_links(identifier: IdentifierState, winner: ContactState) -> None:
    """Links that this batch made and that the merge made superfluous are never written."""
    seen = False
    for link in list(identifier.links):
        if link.contact.root is not winner:
            continue
        if seen and link.created:
            identifier.links.remove(link)
        seen = True
