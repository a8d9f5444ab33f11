"""Looking at what has come since the last look: new fields, missing contacts, silence."""
