"""Who may sign in or call the API, what each role may do, which rows a manager sees, and the record of deeds.

Rights are checked here and nowhere else; a door asks `may`, and a query selects through `select_visible`.
"""

from crm_core.access.links import sign_in_link, use_sign_in_link
from crm_core.access.passwords import PasswordHash, hash_password
from crm_core.access.principal import DEMO, HUB, VISITOR, Principal
from crm_core.access.rights import PERMISSIONS, ROLE_PERMISSIONS, demand, may
from crm_core.access.sessions import (
    begin_session,
    drop_session,
    end_session,
    end_session_of,
    end_sessions,
    find_session,
    list_sessions,
    renew_session,
)
from crm_core.access.sign_in import Attempt, check_password, confirm_password
from crm_core.access.tokens import add_token, find_token, revoke_token, why_not
from crm_core.access.users import (
    add_user,
    change_user,
    cut_off_owner,
    disable_user,
    enable_user,
    find_user_id,
    has_password,
    make_link,
    set_locale,
    set_password,
    sign_out_everywhere,
)
from crm_core.access.visibility import sees_leads_of, select_any, select_visible, visible

__all__ = [
    "DEMO",
    "HUB",
    "PERMISSIONS",
    "ROLE_PERMISSIONS",
    "VISITOR",
    "Attempt",
    "PasswordHash",
    "Principal",
    "add_token",
    "add_user",
    "begin_session",
    "change_user",
    "check_password",
    "confirm_password",
    "cut_off_owner",
    "demand",
    "disable_user",
    "drop_session",
    "enable_user",
    "end_session",
    "end_session_of",
    "end_sessions",
    "find_session",
    "find_token",
    "find_user_id",
    "has_password",
    "hash_password",
    "list_sessions",
    "make_link",
    "may",
    "renew_session",
    "revoke_token",
    "sees_leads_of",
    "select_any",
    "select_visible",
    "set_locale",
    "set_password",
    "sign_in_link",
    "sign_out_everywhere",
    "use_sign_in_link",
    "visible",
    "why_not",
]  # fmt: skip
