"""What `connectors.kit.tools.new` writes. NAME and TITLE are replaced."""

from connectors.kit.tools.templates.forms import FORMS
from connectors.kit.tools.templates.preset import PRESET
from connectors.kit.tools.templates.telephony import TELEPHONY

FILES = {"forms": FORMS, "telephony": TELEPHONY, "preset": PRESET}
