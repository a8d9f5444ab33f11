"""The README.md of a new connector: the sections that the conformance suite asks for, each with its question."""

PAGE = """# TITLE

Who sends this, and when. Source: the page of the provider's documentation that was read, and its date.

## Set it up
1. `leadhub source add NAME --name "…"` prints the address.
2. Where in the provider's cabinet it goes, click by click.
3. How to send a test, and what then appears in the hub.

## What is read
What each event or field becomes, and what is ignored. What the provider is answered.

## How it authenticates
By the token in the address, unless there is a signature: over what, and what it does not cover.

## What is not known
Retries, deadlines, odd cases that nobody has seen live.
"""

#: What the console says; docs/adding-a-connector.md explains each line.
GUIDE = """summary:
  en: "What comes in from TITLE, in one sentence."
  ru: "Что приходит из TITLE, одним предложением."
steps:
  en:
    - "Where in TITLE the address goes, in the words of its own menus."
    - "How to send a test."
  ru:
    - "Куда в TITLE вставить адрес, словами его собственного меню."
    - "Как отправить пробу."
"""
