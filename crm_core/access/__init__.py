"""Who may sign in or call the API, what each role may do, which rows a manager sees, and the record of deeds.

Rights are checked here and nowhere else; a door only asks `may` and adds the clause of `visible_leads` and friends.
"""

from crm_core.access.journal import audit
from crm_core.access.links import sign_in_link, use_sign_in_link
from crm_core.access.principal import Principal
from crm_core.access.rights import (
    PERMISSIONS,
    ROLE_PERMISSIONS,
    may,
    sees_leads_of,
    visible_activities,
    visible_calls,
    visible_contacts,
    visible_leads,
    visible_touches,
)
from crm_core.access.tokens import create_token, find_token, list_tokens, revoke_token
from crm_core.access.users import (
    add_user,
    check_password,
    end_sessions,
    find_session,
    find_user_id,
    session_epoch,
    set_locale,
    set_password,
)

__all__ = [
    "PERMISSIONS", "ROLE_PERMISSIONS", "Principal", "add_user", "audit", "check_password", "create_token",
    "end_sessions", "find_session", "find_token", "find_user_id", "list_tokens", "may", "revoke_token",
    "sees_leads_of", "session_epoch", "set_locale", "set_password", "sign_in_link", "use_sign_in_link", "visible_activities",
    "visible_calls", "visible_contacts", "visible_leads", "visible_touches",
]  # fmt: skip
