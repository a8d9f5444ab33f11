"""How soon a client is to be answered, and each wait of a client for an answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.base.models import Base, CreatedAt, Id, Impersonal


class DeadlinePolicy(Base):
    """Minutes of working time since an inquiry was received. Of those that fit a lead the most specific counts."""

    __tablename__ = "deadline_policy"
    __table_args__ = (
        CheckConstraint(
            "warn_minutes > 0 AND breach_minutes > 0 AND escalate_minutes > 0 AND reassign_minutes > 0", name="minutes"
        ),
        CheckConstraint("max_hops >= 0", name="hops"),
    )

    id: Mapped[Id]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))  # None: of any source
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pool.id"))  # None: of any pool
    warn_minutes: Mapped[float | None] = mapped_column(Float)
    breach_minutes: Mapped[float] = mapped_column(Float)
    escalate_minutes: Mapped[float | None] = mapped_column(Float)
    reassign_minutes: Mapped[float | None] = mapped_column(Float)  # since its owner got the lead
    max_hops: Mapped[int] = mapped_column(server_default="3")  # times that a lead is taken from somebody
    head_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))  # who decides in the end; None: the heads of sales
    created_at: Mapped[CreatedAt]
    removed_at: Mapped[datetime | None]  # kept for what it decided


#: One that counts for each source and pool.
Index(
    "uq_deadline_policy_of", func.coalesce(DeadlinePolicy.source_id, 0), func.coalesce(DeadlinePolicy.pool_id, 0), unique=True,
    postgresql_where=sql("removed_at IS NULL"),
)  # fmt: skip


class Deadline(Base):
    """A wait of a client: since an inquiry that nobody had answered, until somebody reached them. One a lead is open at most.

    Who reached whom stands in the history and is read from there; the row says what was done about the wait.
    """

    __tablename__ = "deadline"
    __table_args__ = (
        CheckConstraint("state IN ('open','answered','ended')", name="state"),
        CheckConstraint("answer IN ('','call','got_through','message','by_hand')", name="answer"),
        CheckConstraint(
            "ended_code IN ('','won','lost','closed','merged','spam','erased','no_policy','superseded')", name="ended_code"
        ),
        Index("uq_deadline_open", "lead_id", unique=True, postgresql_where=sql("state = 'open'")),
        Index("ix_deadline_lead_id", "lead_id"),
        Index("ix_deadline_look_at", "look_at", postgresql_where=sql("state = 'open'")),
        Index("ix_deadline_ended", "ended_at", postgresql_where=sql("state = 'ended' AND ended_code NOT IN ('no_policy','superseded')")),
        Index("ix_deadline_started_at", "started_at"),
        Index("ix_deadline_breached_at", "breached_at", postgresql_where=sql("breached_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("deadline_policy.id"))  # None: not looked at yet
    state: Mapped[Impersonal[str]] = mapped_column(server_default="open")
    started_at: Mapped[datetime]  # when the inquiry was received
    restarted: Mapped[bool] = mapped_column(server_default=sql("false"))  # counted from when its lead was opened again
    look_at: Mapped[datetime]  # when the sweep looks at it again
    owner_id: Mapped[int | None]  # in whose working time it counts
    held_since: Mapped[datetime | None]  # since when they have the lead
    hops: Mapped[int] = mapped_column(server_default="0")  # times that it was taken from somebody
    warn_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]
    reassign_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    breached_owner_id: Mapped[int | None]  # who had the lead then
    escalated_at: Mapped[datetime | None]
    gave_up_at: Mapped[datetime | None]  # nobody is left to give it to, or the head has it
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None]  # an owner
    answer: Mapped[Impersonal[str]] = mapped_column(server_default="")  # how they were reached
    working_seconds: Mapped[float | None] = mapped_column(Float)  # of the wait, until the answer
    ended_at: Mapped[datetime | None]
    ended_code: Mapped[Impersonal[str]] = mapped_column(server_default="")  # why nobody waits any more
