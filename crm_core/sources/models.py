"""Sources: configured entrances, and the tokens that are their addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal, Personal, StaffData


class Source(Base):
    """A form address, an exchange line or a mailbox. `config` holds the connector's settings, secrets encrypted."""

    __tablename__ = "source"
    __table_args__ = (
        CheckConstraint("channel IN ('form','call','mail')", name="channel"),
        CheckConstraint("state IN ('active','paused')", name="state"),
    )

    id: Mapped[Id]
    name: Mapped[Impersonal[str]]
    connector: Mapped[Impersonal[str]]
    channel: Mapped[Impersonal[str]]
    config: Mapped[StaffData[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    state: Mapped[Impersonal[str]] = mapped_column(server_default="active")
    line: Mapped[Impersonal[str]] = mapped_column(server_default="")  # product line of its leads
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))  # None: the default pool
    allowed_hosts: Mapped[Impersonal[list[str]]] = mapped_column(
        server_default=sql("'{}'")
    )  # a browser form may be sent back there
    # Until then every inquiry is set aside: a burst of what looks like fakes is under way.
    quarantine_until: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class SourceToken(Base):
    """The secret part of an address, or an alias ("hubspot:…") by which a site that moved here names its form.

    Found by digest, shown again by decrypting; rotated and disabled ones still accept mail to "unclaimed".
    """

    __tablename__ = "source_token"
    __table_args__ = (CheckConstraint("state IN ('active','rotated','disabled')", name="state"),)

    digest: Mapped[Impersonal[bytes]] = mapped_column(LargeBinary, primary_key=True)  # SHA-256 of the token
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    token: Mapped[Impersonal[str]]  # encrypted at rest
    is_alias: Mapped[bool] = mapped_column(server_default=sql("false"))  # never shown as the source's address
    state: Mapped[Impersonal[str]] = mapped_column(server_default="active")
    created_at: Mapped[CreatedAt]
    retired_at: Mapped[datetime | None]


class InboundEvent(Base):
    """The journal: one raw thing received, verbatim, and what became of it. The ledger is a query over this table.

    `attempts` counts claims; `lost_claims` counts claims in a row whose worker never came back, so that an event that
    kills workers is parked although no exception was ever caught. No table has a foreign key to this one, so that it
    can be partitioned by month; the ledger's check finds an event that is missing. And this one has a foreign key to no
    other: a check of it locks the other table, and then a migration of leads closes the door.
    """

    __tablename__ = "inbound_event"
    __table_args__ = (
        CheckConstraint("state IN ('waiting','working','done','needs_attention','rejected')", name="state"),
        CheckConstraint(
            "outcome IN ('created','attached','repeat','auto','spam','test','ignored','dismissed')", name="outcome"
        ),
        # Every finished event has exactly one outcome, every unfinished one has none.
        CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name="outcome_iff_done"),
        Index("uq_inbound_event_source_id_provider_key", "source_id", "provider_key", unique=True,
              postgresql_where=sql("provider_key IS NOT NULL")),
        # Claims and sweeps see waiting rows only, so their cost does not grow with history.
        Index("ix_inbound_event_due", "channel", "next_attempt_at", "id",
              postgresql_where=sql("state IN ('waiting','working')")),
        Index("ix_inbound_event_spam", "id", postgresql_where=sql("outcome = 'spam'")),
        # The quarantine's shelves: their lists and figures cost what they show, also after a flood.
        Index("ix_inbound_event_shelf",
              # In PostgreSQL's own spelling and lines, or a comparison with the migrated table finds it different.
              sql("(\nCASE\n WHEN (verdict ->> 'spam') = 'spam' THEN 'confirmed'"
                  "\n WHEN (reason ->> 'buried')::boolean THEN 'buried'\n ELSE 'review'\nEND)"), "id",
              postgresql_where=sql("outcome = 'spam' AND channel = 'form' AND erased_at IS NULL AND lead_id IS NULL")),
        Index("ix_inbound_event_attention", "id", postgresql_where=sql("state IN ('needs_attention','rejected')")),
        Index("ix_inbound_event_source_id_id", "source_id", "id"),
        # By blocks: ranges of days are asked for, and a row costs no entry when it comes in, is taken and is done.
        Index("ix_inbound_event_received_at", "received_at", postgresql_using="brin",
              postgresql_ops={"received_at": "timestamptz_minmax_multi_ops"}, postgresql_with={"autosummarize": "on"}),
        # Not at the entrance: nobody knows the lead and the contact when the event comes in.
        Index("ix_inbound_event_lead_id", "lead_id", postgresql_where=sql("lead_id IS NOT NULL")),
        Index("ix_inbound_event_contact_id", "contact_id", postgresql_where=sql("contact_id IS NOT NULL")),
        # What an erasure looks through for a person whom nobody knows.
        Index("ix_inbound_event_of_nobody", "id",
              postgresql_where=sql("contact_id IS NULL AND lead_id IS NULL AND erased_at IS NULL"
                                   " AND state IN ('done','needs_attention','rejected')")),
        # Room for updates in the same page; and vacuumed by the number of dead rows, not by a share of a growing history.
        {"postgresql_with": {"fillfactor": "85", "autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "20000"}},
    )  # fmt: skip

    id: Mapped[Id]
    uid: Mapped[Impersonal[str]] = mapped_column(
        unique=True, server_default=sql("replace((uuidv7())::text, '-'::text, ''::text)")
    )
    source_id: Mapped[int]
    channel: Mapped[Impersonal[str]]
    received_at: Mapped[CreatedAt]
    method: Mapped[Impersonal[str]] = mapped_column(server_default="POST")
    path: Mapped[Personal[str]] = mapped_column(server_default="")
    query: Mapped[Personal[str]] = mapped_column(server_default="")
    headers: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))
    body: Mapped[Personal[bytes]] = mapped_column(LargeBinary)
    remote_ip: Mapped[Personal[str]] = mapped_column(server_default="")
    provider_key: Mapped[Personal[str] | None]
    # Of a rejected event: the key that it had, free for the genuine one; it gets it back if it becomes something.
    rejected_key: Mapped[Personal[str] | None]
    unclaimed: Mapped[bool] = mapped_column(server_default=sql("false"))  # came in on a rotated or disabled token
    # The entrance verified its signature, over headers that are kept masked here.
    verified_at_door: Mapped[bool] = mapped_column(server_default=sql("false"))
    redeliveries: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[Impersonal[str]] = mapped_column(server_default="waiting")
    attempts: Mapped[int] = mapped_column(server_default="0")
    lost_claims: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[CreatedAt]  # a claim moves it to the end of its lease
    claim_token: Mapped[Impersonal[str] | None]  # fencing: only the holder may finish it
    to_fetch: Mapped[bool] = mapped_column(server_default=sql("false"))  # it goes on only when something was fetched for it
    outcome: Mapped[Impersonal[str] | None]
    reason: Mapped[Personal[dict[str, Any]]] = mapped_column(server_default=sql("'{}'"))  # {"code", …}
    error: Mapped[Personal[dict[str, Any]] | None]  # {"code","message","path"} while it needs attention or waits for a retry
    lead_id: Mapped[int | None]
    contact_id: Mapped[int | None]
    done_at: Mapped[datetime | None]
    # What a person decided about it, above all rules: {"spam":"ham","consent":"accepted","by":user,"at":time}.
    verdict: Mapped[Personal[dict[str, Any]] | None]
    erased_at: Mapped[datetime | None]  # its bytes are gone on a person's demand; it stays counted and is never replayed
    replayed: Mapped[int] = mapped_column(server_default="0")  # how often a person sent it through again
