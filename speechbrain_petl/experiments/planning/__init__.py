"""What shall run: plans, their checks, the recipes."""
