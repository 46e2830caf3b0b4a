"""Plans, their checks, and the recipes."""
