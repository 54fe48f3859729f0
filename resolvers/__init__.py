"""How each field is answered: load, decide, save."""
