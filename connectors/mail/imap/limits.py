"""How much of a mail is read. Every number bounds time or memory; what is beyond stays in the raw mail."""

from __future__ import annotations

HEADER_BLOCK_BYTES = 256 * 1024  # the largest block among 1 673 real mails has 210 KB
HEADER_FIELDS = 1_000
HEADER_VALUE_BYTES = 10 * 1024  # one value before decoding; a longer one is cut
STRUCTURE_HEADER_BYTES = 8 * 1024  # Content-Type, Content-Disposition: the standard library is quadratic in them
ADDRESS_VALUE_BYTES = 32 * 1024  # To and Cc; about 800 addresses
SENDER_VALUE_BYTES = 2 * 1024  # From, Reply-To, Sender
ADDRESSES = 200
PARAMETERS = 100  # of one header, RFC 2231 pieces included
DEPTH = 30  # nested multiparts and attached mails
PARTS = 500  # a real digest had 3 043; the first 500 are read
LINES_TIMES_DEPTH = 10_000_000  # the parser tries every open boundary on every line; this is about a second
ATTACHED_MAIL_LEVELS = 3
ATTACHMENTS = 100
ATTACHMENT_BYTES = 50 * 1024 * 1024  # decoded, all together; later ones are listed without size and digest
HTML_BYTES = 2 * 1024 * 1024
HTML_NODES = 200_000
HTML_TAGS = 10_000  # beyond these two, tags are taken out without a tree: 7 500 of `<b id=1><p>` cost the parser 23 s
HTML_OPEN_TAGS = 400
TEXT_CHARS = 250_000  # of the resulting message
REFERENCES = 32  # the last ones; longer lists made look-ups crawl elsewhere
MESSAGE_ID_CHARS = 998  # the longest line of RFC 5322
