"""The demo: a small believable world, made by code, and the people in it."""
