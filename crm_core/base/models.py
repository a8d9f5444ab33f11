"""What all tables share: naming of constraints, the few column types, the declarative base."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


#: Whose data a column holds. Every column of text, JSON, bytes or words says so with one of the three types below, also inside
#: of `| None`; erasing a person, handing them what is kept of them, and the scan of the logs read it (`crm_core.base.personal`).
_T = TypeVar("_T")
#: What says, or may say, something about somebody who wrote in, called or was written about; also their hashes and free text.
Personal = Annotated[_T, mapped_column(info={"personal": True, "of": "contact"})]
#: What says something about an employee or a user: no log, metric or address of a page shows it, erasing a contact leaves it.
StaffData = Annotated[_T, mapped_column(info={"personal": True, "of": "staff"})]
#: Codes, keys, names of fields, settings, digests under the hub's key: nothing about anybody.
Impersonal = Annotated[_T, mapped_column(info={"personal": False})]

#: Surrogate key. "By default", so that a batch can draw its ids beforehand and insert set-wise.
Id = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
