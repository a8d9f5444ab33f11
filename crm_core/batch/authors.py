"""Who wants something by a mail: its sender, who its sender wrote for, or nobody that can be known again. Pure.

Our own side and programs write for others. Their addresses are never a client's: all the visitors of a form would be one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from crm_core.identity.emails import read_emails
from crm_core.identity.mailbox_providers import FREE, ROLES
from crm_core.identity.names import compare
from crm_core.identity.sender_addresses import is_ours, is_program
from crm_core.parsed import MailAddress, Message

#: The rule of a colleague's forward: the client is whoever wrote first.
FORWARDED = "forwarded_by_ours"


@dataclass(frozen=True, slots=True)
class Author:
    """`address`: who is answered, None if nobody is known. `rule`: what decided. `by_program`: the text is a program's, so
    that a number in it is the client's only where a label says so."""

    address: MailAddress | None
    rule: str
    by_program: bool = False
    name: str = ""


def author_of(message: Message, own: Collection[str]) -> Author:
    """The first that holds (email.md §7): a colleague forwards; ours or a program's mail for whoever Reply-To, then the form
    names; else the sender."""
    sender, reply_to, visitor = message.sender, message.reply_to, message.visitor
    ours = sender is not None and is_ours(sender.email, own)
    theirs = next((one for one in message.originals if ours and not is_ours(one.email, own) and not is_program(one.email)), None)
    if theirs is not None:
        return Author(theirs, FORWARDED, name=theirs.name)
    rule = "no_sender" if sender is None else "from_ours" if ours else _program(message, sender)
    if not rule:
        name = sender.name if sender is not None else ""
        return Author(sender, "sender", name=name or (visitor.name if visitor else ""))
    named = visitor.name if visitor else ""
    if reply_to is not None and reply_to.email and not is_ours(reply_to.email, own) and not is_program(reply_to.email):
        return Author(reply_to, f"{rule}: reply-to", True, named or reply_to.name)
    for email in visitor.emails if visitor else ():
        # What a visitor typed is theirs, whatever it looks like (robot.ivan@…).
        if not is_ours(email, own) and (sender is None or email.lower() != sender.email.lower()):
            return Author(MailAddress(email, named), f"{rule}: form", True, named)
    return Author(None, rule, True, named)


def _program(message: Message, sender: MailAddress) -> str:
    """What says that a program wrote under this address, or "". A form may also write in its visitor's own name."""
    visitor = message.visitor
    mine = {key.value for key in read_emails(sender.email)}
    told = {key.value for email in (visitor.emails if visitor else ()) for key in read_emails(email)}
    if is_program(sender.email):
        return "program"
    if mine & told:
        return ""
    local, _, domain = sender.email.lower().rpartition("@")
    is_free = domain in FREE
    answered = message.reply_to is not None and message.reply_to.email.lower() != sender.email.lower()
    if message.robot and (not is_free or answered or told):
        return "program_header"
    if visitor is None or not visitor.name:
        return ""
    same = bool(sender.name) and compare(visitor.name, sender.name) == "agree"
    if told and not same:
        return "form_of_another"
    if visitor.phones and not same and not is_free and (local in ROLES or not sender.name):
        return "form_of_another"
    return ""
