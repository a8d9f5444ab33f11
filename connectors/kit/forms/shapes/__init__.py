"""Bodies that are no form, no JSON and yet hold fields: XML, vCard, a table, lines with labels; and values that arrive damaged.

Pure, linear in the size of the text, and never worse than before: what is not understood stays the message it was.
"""

from connectors.kit.forms.shapes.damage import repaired
from connectors.kit.forms.shapes.structure import pairs_of, restructured
from connectors.kit.forms.shapes.text import data_of, with_lines_of_message

__all__ = ["data_of", "pairs_of", "repaired", "restructured", "with_lines_of_message"]
