"""Activities: what is planned to be done, by whom and until when."""
