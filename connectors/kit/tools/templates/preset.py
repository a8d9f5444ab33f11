"""A mapping of a form builder."""

from connectors.kit.tools.templates.page import GUIDE, PAGE

PRESET = {
    "README.md": PAGE,
    "guide.yaml": GUIDE,
    "preset.yaml": """title: TITLE
channel: form
experimental: true            # until it was seen live
reply: {status: 200, type: text/plain, body: ok}
handshake:
  - {form: {test: test}, size: 1}
event_id: [$.id]
fields:
  name: {from: [$.Name]}
  phone: {from: [$.Phone]}
  message: {from: [$.Comments]}
  utm: {from: ["$.utm_*"]}
""",
    "samples/form__all_fields/request.json": """{
  "headers": {"content-type": "application/x-www-form-urlencoded"},
  "body": "Name=Ivan&Phone=%2B79123456760&Comments=Hello&City=Tver&utm_source=vk&id=1"
}
""",
    "samples/form__phone_only/request.json": """{
  "headers": {"content-type": "application/x-www-form-urlencoded"},
  "body": "Phone=89123456761&id=2"
}
""",
    "samples/handshake__test/request.json": """{
  "headers": {"content-type": "application/x-www-form-urlencoded"},
  "body": "test=test"
}
""",
}
