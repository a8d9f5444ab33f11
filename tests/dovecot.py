"""The throw-away Dovecot of the demo, which the tests use as well."""

from leadhub.demo.dovecot import Dovecot, DovecotMissing, configuration, start

__all__ = ["Dovecot", "DovecotMissing", "configuration", "start"]
