"""All tables. Whoever asks the metadata about every table imports `Base` from here: only then does it know them all."""

from crm_core.access.models import (
    ROLES,
    ApiToken,
    AuditEntry,
    AuditSeal,
    SignInBucket,
    SignInLink,
    User,
    UserSession,
)
from crm_core.activities.models import Activity
from crm_core.base.models import Base
from crm_core.base.outbox import OutboxEntry, OutboxSubscriber
from crm_core.calendars.models import CalendarDay, WorkCalendar
from crm_core.calls.models import Call
from crm_core.contacts.models import Contact, ContactIdentifier, Identifier, MergeEvent, Suggestion, SuggestionRun, Tombstone
from crm_core.deadlines.models import Deadline, DeadlinePolicy
from crm_core.forms.models import (
    Attachment,
    Consent,
    ConsentText,
    SourceAlert,
    SourceField,
    SourceMapping,
    SourcePoll,
    SourceWatch,
)
from crm_core.leads.models import Lead
from crm_core.mentions.models import Mention
from crm_core.messages.models import MailboxFolder, MailDelivery, MailMessage, MailRef
from crm_core.monitoring.models import CaptureStat, Heartbeat
from crm_core.notifications.models import Notification
from crm_core.numbering.models import NumberingImport, NumberingRange
from crm_core.people.models import Absence, Assignment, Owner, Pool, PoolMember, Team
from crm_core.routing.models import OwnerExclusion
from crm_core.search.models import SearchDocument, SearchQueue
from crm_core.sources.models import InboundEvent, Source, SourceToken
from crm_core.timeline.models import Touch

__all__ = [
    "ROLES", "Absence", "Activity", "ApiToken", "Assignment", "Attachment", "AuditEntry", "AuditSeal", "Base", "CalendarDay", "Call", "CaptureStat", "Consent",
    "ConsentText", "Contact", "ContactIdentifier", "Deadline", "DeadlinePolicy", "Heartbeat", "Identifier", "InboundEvent", "Lead", "MailDelivery", "MailMessage", "MailRef",
    "MailboxFolder", "Mention", "MergeEvent", "Notification", "NumberingImport", "NumberingRange", "OutboxEntry", "OutboxSubscriber", "Owner", "OwnerExclusion", "Pool", "PoolMember", "SearchDocument", "SearchQueue", "SignInBucket", "SignInLink", "Source", "SourceAlert", "SourceField", "SourceMapping",
    "SourcePoll", "SourceToken", "SourceWatch", "Suggestion", "SuggestionRun",
    "Team", "Tombstone", "Touch", "User", "UserSession", "WorkCalendar",
]  # fmt: skip
