"""What was set aside as spam, and what people say of it."""
