"""Parsed events become contacts, leads, calls, touches and call-backs: a batch at a time, each event as if it were alone."""

from __future__ import annotations

from crm_core.batch.state import EventResult, ParsedEvent
from crm_core.intake.order import SUBJECTS, spam_reason, take_in

__all__ = ["SUBJECTS", "EventResult", "ParsedEvent", "spam_reason", "take_in"]
