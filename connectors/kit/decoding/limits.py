"""How much of one body is read. What is above a limit is cut with a flag, never refused: the raw bytes are kept anyway."""

TEXT_CHARS = 1024 * 1024  # all values of one inquiry together
VALUE_CHARS = 64 * 1024  # one value; a sendBeacon carries no more
KEY_CHARS = 256  # a label of a form builder fits; a 64 kB key is an attack
KEYS = 500  # values of one inquiry; real forms have under 60
DEPTH = 8  # levels of nesting; real payloads have at most 5
UNPACKED_BYTES = 10 * 1024 * 1024  # a gzip body grows no further than an entrance takes
JSON_TOKENS = 200_000  # commas and braces; above it a tree would cost hundreds of megabytes
ROWS = 2_000  # inquiries in one array; a longer one needs a person, because cutting it would lose some

TRUNCATED_VALUE = "truncated_value"  # a value or a key was cut
TRUNCATED_BODY = "truncated_body"  # the body ended early, or was longer than is read
TOO_MANY_FIELDS = "too_many_fields"
TOO_DEEP = "too_deep"  # nested further than DEPTH, kept as text
BROKEN_JSON = "broken_json"  # not valid JSON; what could be read was read
#: Of JSON that is broken, so much is searched for members that can still be read: the search costs up to 1 s a megabyte.
SALVAGE_BYTES = 256 * 1024
