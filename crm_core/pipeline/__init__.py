"""The stages that a lead goes through."""
