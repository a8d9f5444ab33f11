"""What the product is held against, each rebuilt here from its description and measured in the same run."""
