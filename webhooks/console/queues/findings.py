"""What is wrong with the hub, in the reader's language, by the codes of the report that `leadhub health` tells too."""

from __future__ import annotations

from ingest.monitoring.health import Finding, HealthReport
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import RequestContext

#: A process that was not heard of for longer is shown as silent. A worker speaks when a probe reaches one of its
#: children; several workers share the probes of ten seconds, so that one may stay without for a while.
ALIVE_SECONDS = 90.0


def findings(context: RequestContext, health: HealthReport) -> list[str]:
    """Sentences, none if all is well. A code without words here is told as the report tells it."""
    return [words(context, finding) for finding in health.findings]


def hints(context: RequestContext, health: HealthReport) -> list[str]:
    """What works, but not as well as it could with another setting."""
    return [words(context, finding) for finding in health.hints]


def words(context: RequestContext, finding: Finding) -> str:
    language = context.language
    if not language.knows("finding", finding.code):
        return finding.words
    facts = dict(finding.facts)
    for name, group in (("channel", "channel"), ("role", "process_role"), ("state", "source_status")):
        if name in facts:
            facts[name] = language.code(group, facts[name])
    if "alert" in facts:
        facts["alert"] = language.code("alert_name", facts["alert"])
    if "seconds" in facts:
        facts["span"] = clock.span(facts["seconds"], language)
    if "free_bytes" in facts:
        facts["free_mb"] = language.number(facts["free_bytes"] // 1024 // 1024)
    return language.code("finding", finding.code, **facts)
