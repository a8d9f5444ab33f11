"""The console: what people see of the hub. Server-rendered, in two languages, with no request to anywhere else.

Pages ask the subjects' queries and `ingest` and show; they decide nothing and write no SQL.
"""

from webhooks.console.shell.dispatch import blueprint

__all__ = ["blueprint"]
