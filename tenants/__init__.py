"""Who is asking, where, and what they may."""
