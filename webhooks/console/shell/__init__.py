"""What every page of the console shares: who asks, in which language, navigation, errors."""
