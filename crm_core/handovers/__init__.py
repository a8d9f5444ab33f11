"""What goes from one colleague to another when somebody leaves."""
