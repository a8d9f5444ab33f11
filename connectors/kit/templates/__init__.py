"""What `connectors.kit.new` writes. NAME and TITLE are replaced."""

from connectors.kit.templates.forms import FORMS
from connectors.kit.templates.preset import PRESET
from connectors.kit.templates.telephony import TELEPHONY

FILES = {"forms": FORMS, "telephony": TELEPHONY, "preset": PRESET}
