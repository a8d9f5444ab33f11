"""How much an inquiry looks like spam, and why. It judges, it never refuses: what happens then is for `ingest.screening.screen`."""

from crm_core.spam.content import Place, content_signals
from crm_core.spam.persons import person_signals
from crm_core.spam.scoring import Score, Signal, score
from crm_core.spam.weights import WEIGHTS, Weight

__all__ = ["WEIGHTS", "Place", "Score", "Signal", "Weight", "content_signals", "person_signals", "score"]
