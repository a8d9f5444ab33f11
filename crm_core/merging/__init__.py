"""Two contacts found to be one person: merged by hand, taken apart again, and pairs that may be one."""
