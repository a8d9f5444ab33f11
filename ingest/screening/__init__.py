"""What looks like spam is set aside, what lacks a consent is held; nothing is dropped."""
