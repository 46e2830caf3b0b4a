"""Tables, figures and a page of what ran."""
