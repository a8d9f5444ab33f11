"""What people do by hand to leads and tasks: change, hand over, finish. Each deed checks sight, leaves a touch and an audit row.

Locks are taken in the order of `crm_core.intake`: contact, then lead, pool last.
"""

from crm_core.working.activities import finish_activity
from crm_core.working.assigning import assign_lead
from crm_core.working.leads import LeadChange, change_lead

__all__ = ["LeadChange", "assign_lead", "change_lead", "finish_activity"]
