"""The stages that a lead goes through, in their order. A lead begins at the first; won and lost are states, not stages."""

from __future__ import annotations

from typing import Final

#: Names as the API says them; the pages have words for each.
STAGES: Final = (
    "new", "qualified", "decision_maker", "offer_sent", "meeting_set", "meeting_held", "contract_agreed", "invoice_paid",
)  # fmt: skip
