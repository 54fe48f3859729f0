"""Pages: how many rows can be asked for at once."""

from rules.broken import BrokenRule

LARGEST_PAGE = 100
DEFAULT_PAGE = 20


class InvalidPage(BrokenRule):
    """`first` and `last` are not between 1 and 100, or both were given."""

    english = "Ask for 1 to 100 with either first or last."
    german = "Fragen Sie mit first oder last nach 1 bis 100."


class InvalidCursor(BrokenRule):
    """A cursor was changed, or belongs to another list or order."""

    english = "This cursor does not belong to this list."
    german = "Dieser Cursor gehört nicht zu dieser Liste."
