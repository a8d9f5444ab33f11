"""Bytes of any sender into plain fields. Trusts no Content-Type, refuses nothing that can be read, never reads twice.

Frameworks lose real inquiries here: raw cp1251 gives an empty form, a beacon's text/plain gives none at all.
"""

from connectors.kit.decoding.body import Decoded, decode, decode_body, decode_query
from connectors.kit.decoding.charset import text_of
from connectors.kit.decoding.jsontext import read_json
from connectors.kit.decoding.uploads import Upload
from connectors.kit.decoding.urlencoded import raw_values

__all__ = ["Decoded", "Upload", "decode", "decode_body", "decode_query", "raw_values", "read_json", "text_of"]
