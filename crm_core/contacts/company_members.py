"""Which company an address belongs to, and the people who wrote before their company was known: once a night they come into it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, Engine, text

from crm_core.identity.companies import company_domain
from crm_core.search import mark

#: People whose addresses are looked at in one transaction, which is short.
_AT_ONCE: Final = 2_000

_OF_DOMAINS: Final = """
SELECT i.value, min(m.root_id) AS company_id FROM identifier i JOIN contact_identifier ci ON ci.identifier_id = i.id
  JOIN contact m ON m.id = ci.contact_id JOIN contact c ON c.id = m.root_id AND c.kind = 'company' AND c.erased_at IS NULL
 WHERE i.kind = 'domain' AND i.value = ANY(:domains) AND ci.retired_at IS NULL GROUP BY i.value HAVING count(DISTINCT m.root_id) = 1
"""

_WITHOUT: Final = """
SELECT c.id, array_agg(i.value) AS emails FROM (SELECT id FROM contact WHERE id > :after AND root_id = id AND kind = 'person'
    AND company_id IS NULL AND erased_at IS NULL ORDER BY id LIMIT :most) c
  LEFT JOIN contact m ON m.root_id = c.id LEFT JOIN contact_identifier ci ON ci.contact_id = m.id AND ci.retired_at IS NULL
  LEFT JOIN identifier i ON i.id = ci.identifier_id AND i.kind = 'email' AND i.strength IN ('strong', 'weak', 'shared')
 GROUP BY c.id ORDER BY c.id
"""


def companies_of_domains(connection: Connection, domains: Collection[str]) -> dict[str, int]:
    """Domain → contact of the one company whose it is."""
    return {row.value: row.company_id for row in connection.execute(text(_OF_DOMAINS), {"domains": list(domains)})}


def join_companies(engine: Engine) -> int:
    """Puts everybody without a company into the one whose domain their addresses are of, if it is known by now and is one. Whoever
    has a company stays there. Returns how many that were. In short transactions, so that the intake waits for none of them."""
    after = joined = 0
    while True:
        with engine.begin() as connection:
            rows = connection.execute(text(_WITHOUT), {"after": after, "most": _AT_ONCE}).all()
            if not rows:
                return joined
            after = rows[-1].id
            joined += _join(
                connection,
                {row.id: {domain for email in row.emails if email and (domain := company_domain(email))} for row in rows},
            )


def _join(connection: Connection, domains_of: dict[int, set[str]]) -> int:
    wanted = {domain for domains in domains_of.values() for domain in domains}
    known = companies_of_domains(connection, wanted) if wanted else {}
    found: dict[int, int] = {}
    for contact_id, domains in domains_of.items():
        companies = {known[domain] for domain in domains if domain in known}
        if len(companies) == 1:
            found[contact_id] = companies.pop()
    if not found:
        return 0
    values = {"ids": list(found), "companies": list(found.values())}
    connection.execute(text("SELECT id FROM contact WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"), {"ids": list(found)})
    moved = connection.scalars(
        text(
            "UPDATE contact c SET company_id = k.company, version = c.version + 1"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:companies AS bigint[])) AS k(id, company)"
            " WHERE c.id = k.id AND c.company_id IS NULL AND c.root_id = c.id AND c.erased_at IS NULL RETURNING c.id"
        ),
        values,
    ).all()
    if moved:
        mark(connection, moved)
    return len(moved)
