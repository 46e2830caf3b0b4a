"""The modules that a recipe is made of."""
