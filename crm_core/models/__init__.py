"""All tables. Import from here."""

from crm_core.models.base import Base, OutboxEntry, OutboxSubscriber
from crm_core.models.call import Call
from crm_core.models.contact import Contact, ContactIdentifier, Identifier, MergeEvent, Suggestion, Tombstone
from crm_core.models.form import (
    Attachment,
    Consent,
    ConsentText,
    SourceAlert,
    SourceField,
    SourceMapping,
    SourcePoll,
    SourceWatch,
)
from crm_core.models.health import CaptureStat, Heartbeat
from crm_core.models.lead import Activity, Lead, Touch
from crm_core.models.message import MailboxFolder, MailDelivery, MailMessage, MailRef
from crm_core.models.owner import Absence, Assignment, Owner, Pool, PoolMember, Team
from crm_core.models.search import SearchDocument, SearchQueue
from crm_core.models.source import InboundEvent, Source, SourceToken
from crm_core.models.user import (
    ROLES,
    ApiToken,
    AuditEntry,
    AuditSeal,
    SignInBucket,
    SignInLink,
    User,
    UserSession,
)

__all__ = [
    "ROLES", "Absence", "Activity", "ApiToken", "Assignment", "Attachment", "AuditEntry", "AuditSeal", "Base", "Call", "CaptureStat", "Consent",
    "ConsentText", "Contact", "ContactIdentifier", "Heartbeat", "Identifier", "InboundEvent", "Lead", "MailDelivery", "MailMessage", "MailRef",
    "MailboxFolder", "MergeEvent", "OutboxEntry", "OutboxSubscriber", "Owner", "Pool", "PoolMember", "SearchDocument", "SearchQueue", "SignInBucket", "SignInLink", "Source", "SourceAlert", "SourceField", "SourceMapping",
    "SourcePoll", "SourceToken", "SourceWatch", "Suggestion",
    "Team", "Tombstone", "Touch", "User", "UserSession",
]  # fmt: skip
