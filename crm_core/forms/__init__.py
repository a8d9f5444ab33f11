"""What forms bring besides words: consents, files, fingerprints, mappings."""
