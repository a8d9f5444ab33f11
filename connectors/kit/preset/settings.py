"""The settings that a preset declares, as the model of its sources: those of every form, and its own texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, create_model

from connectors.kit.forms.config import FormConfig
from crm_core.base.errors import Misconfigured


def model_of(name: str, settings: Mapping[str, Mapping[str, Any]]) -> type[FormConfig]:
    """A subclass of FormConfig. Raises Misconfigured for a name that is taken."""
    if not settings:
        return FormConfig
    taken = sorted(set(settings) & set(dir(FormConfig)) | set(settings) & set(FormConfig.model_fields))
    if taken:
        raise Misconfigured("wrong_preset", f"{name}: every form has settings named {', '.join(taken)} already.")
    fields: dict[str, Any] = {
        key: (
            str,
            Field(
                rule.get("default", ""),
                description=rule["description"],
                json_schema_extra={"secret": True} if rule.get("secret") else None,
            ),
        )
        for key, rule in settings.items()
    }
    model: type[FormConfig] = create_model(f"{name.title().replace('_', '')}Config", __base__=FormConfig, **fields)
    return model
