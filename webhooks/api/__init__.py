"""The REST API under /api/v1, its description at /openapi.json and a readable page at /docs."""

from webhooks.api.blueprint import blueprint

__all__ = ["blueprint"]
