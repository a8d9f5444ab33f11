"""When is worked: calendars of an office or a shift, and the days that are special."""
