"""One rule of a draft in a form: conditions from fields, operators and values, and whom it names. Every button works without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from crm_core.access.actors import names_of
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.people.queries import list_owners, list_pools
from crm_core.routing import commands
from crm_core.routing.conditions import FACTS
from crm_core.routing.versions import VersionView, get_version
from webhooks.console.leads.owner_reasons import actor
from webhooks.console.routing import rule_form, versions
from webhooks.console.routing.rule_form import MODES, Clause, Group, RuleForm
from webhooks.console.routing.rule_words import in_order, rule_words
from webhooks.console.shell import choices, errors
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered

_STEP = 10  # between priorities, so that somebody who writes JSON finds room


def page(context: RequestContext, version: int) -> PageAnswer:
    rule_id = request.args.get("id", "")
    with context.engine.begin() as connection:
        view = get_version(connection, version)
    if view.state != "draft":
        raise Conflict("not_a_draft", f"Version {version} was put into force: it stays as it is.")
    if not rule_id:
        return _shown(context, view, RuleForm("", when=Group("all", [Clause()])))
    rule = _find(view.body, rule_id)
    if rule is None:
        raise NotFound("rule_unknown", "There is no such rule in this draft.")
    return _shown(context, view, rule_form.of_rule(rule))


def _find(body: Mapping[str, Any], rule_id: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = next((one for one in body["rules"] if one["id"] == rule_id), None)
    return found


def _shown(
    context: RequestContext, view: VersionView, form: RuleForm, problem: errors.Problem | None = None, wrong: Mapping[str, str] | None = None,
    focus: str = "", saved_now: str = "", *, anew: bool = False,
) -> str:  # fmt: skip
    with context.engine.begin() as connection:
        sources = choices.sources(connection, context)
        pools = [(f"pool:{one.id}", one.name) for one in list_pools(connection)]
        owners = [(f"owner:{one.id}", one.name) for one in list_owners(connection) if one.active]
    return context.page(
        "routing/rule.html",
        view=view,
        # What the person saw, however often the form is shown again: only who was told of a change goes on from it.
        seen=view.fingerprint if anew else entered("seen", 64) or view.fingerprint,
        rule=form,
        problem=problem,
        wrong=wrong or {},
        focus=focus,
        saved_now=saved_now,
        is_group=lambda node: isinstance(node, Group),
        modes=MODES,
        facts=list(FACTS),
        ops_of=rule_form.ops_of,
        widget=rule_form.widget,
        sources=sources,
        channels=choices.CHANNELS,
        pools=pools,
        owners=owners,
    )


def save(context: RequestContext, version: int) -> PageAnswer:
    """Saves the rule, or does to the form what its button says."""
    form, wanted = rule_form.read(request.form), entered("act", 500)
    with context.engine.begin() as connection:
        view = get_version(connection, version)
    if wanted != "save":
        return _shown(context, view, form, focus=rule_form.act(form, wanted))
    body, written, at = _with(view.body, form)
    try:
        if not form.name:
            raise Invalid("name_missing", "A name is needed.", fields=[f"rules.{at}.name"])
        with context.engine.begin() as connection:
            # `body` was made of `view`: what was seen must be that, and still be what is kept.
            seen = view.fingerprint if entered("seen", 64) == view.fingerprint else ""
            commands.change_draft(connection, context.principal, version, body, context.config.zone, view.note, seen, context.now)
    except Invalid as error:
        place = _within(error, at, written.rule["id"])
        if place is None:
            return _shown(context, view, form, versions.problem_of(context, error)), 422
        field = written.field_of(place)
        said = _words(context, error, form, field)
        return _shown(context, view, form, said, {field: said.words}, focus=field), 422
    except Conflict as error:
        return _told(context, version, form, error), 409
    return context.go("routing_version", "routing_saved", version=version, _anchor="rules")


def _with(body: Mapping[str, Any], form: RuleForm) -> tuple[dict[str, Any], rule_form.Written, int]:
    """The draft with this rule in its place, or last; where it stands among the rules."""
    rules = in_order(body)
    at = next((n for n, one in enumerate(rules) if one["id"] == form.id), len(rules))
    if at < len(rules):
        written = rule_form.write(form, form.id, rules[at]["priority"])
    else:
        last = rules[-1]["priority"] if rules else 0
        written = rule_form.write(form, form.id or _new_id(rules), int(last // _STEP + 1) * _STEP)
    return {**body, "rules": [*rules[:at], written.rule, *rules[at + 1 :]]}, written, at


def _new_id(rules: Sequence[Mapping[str, Any]]) -> str:
    taken = {one["id"] for one in rules}
    return next(name for n in range(1, len(rules) + 2) if (name := f"rule-{n}") not in taken)


def _within(error: Invalid, at: int, rule_id: str) -> str | None:
    """The place that was refused, within this rule; None if it lies elsewhere."""
    place = next(iter(error.data.get("fields", ())), "")
    for start in (f"rules.{at}.", f"rules.{rule_id}."):
        if place.startswith(start):
            return str(place.removeprefix(start))
    return None


def _words(context: RequestContext, error: Invalid, form: RuleForm, field: str) -> errors.Problem:
    """A value is explained by what it should be."""
    if error.code == "value_unreadable" and field.endswith(".value"):
        clause = rule_form.node_at(form.when, field.removesuffix(".value"))
        if isinstance(clause, Clause):
            how = rule_form.widget(clause.fact, clause.op)
            return errors.Problem(context.language.code("routing.value_wrong", how or "text"), error.code)
    if error.code == "owner_or_pool":
        return errors.Problem(context.language("routing.target_missing"), error.code)
    if error.code in ("fact_unknown", "op_unknown"):
        return errors.Problem(context.language(f"problem.{error.code}"), error.code)
    return errors.problem_of(context, error)


def _told(context: RequestContext, version: int, form: RuleForm, error: Conflict) -> str:
    """Somebody was faster: what is typed stays, with what stands in the draft now. Saving again puts this rule over that."""
    with context.engine.begin() as connection:
        view = get_version(connection, version)
        names = versions.names_for_rules(connection, context)
        who = actor(context, view.author, names_of(connection, [view.author]))
    if error.code != "version":
        return _shown(context, view, form, errors.problem_of(context, error))
    now = _find(view.body, form.id) if form.id else None
    said = ""
    if now is not None:
        words = rule_words(now, names, context.language)
        said = f"{words.name}: {words.when or context.language('routing.always')} → {words.then}"
    problem = errors.Problem(context.language("routing.changed_by_kept", who=who), error.code)
    return _shown(context, view, form, problem, saved_now=said, anew=True)
