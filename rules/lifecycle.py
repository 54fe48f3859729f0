"""Lifecycle: the processing states that every company's own statuses belong to."""

from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

LARGEST_POSITION = 10_000


class ProcessingState(StrEnum):
    """Where an order or a request stands, in the same words for every company."""

    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class Subject(StrEnum):
    """What has a lifecycle."""

    ORDER = "ORDER"
    RMA_REQUEST = "RMA_REQUEST"


@dataclass(frozen=True, slots=True)
class PredefinedStatus:
    """A status that every company starts with; it stands for its processing state."""

    subject: Subject
    code: str
    english: str
    german: str
    state: ProcessingState


PREDEFINED = tuple(
    PredefinedStatus(subject, state.lower().replace("_", "-"), english, german, state)
    for subject, state, english, german in [
        (Subject.ORDER, ProcessingState.NOT_STARTED, "Received", "Eingegangen"),
        (Subject.ORDER, ProcessingState.IN_PROGRESS, "In progress", "In Bearbeitung"),
        (Subject.ORDER, ProcessingState.COMPLETED, "Completed", "Abgeschlossen"),
        (Subject.ORDER, ProcessingState.CANCELLED, "Cancelled", "Storniert"),
        (Subject.RMA_REQUEST, ProcessingState.NOT_STARTED, "Submitted", "Eingereicht"),
        (Subject.RMA_REQUEST, ProcessingState.IN_PROGRESS, "In progress", "In Bearbeitung"),
        (Subject.RMA_REQUEST, ProcessingState.COMPLETED, "Completed", "Abgeschlossen"),
        (Subject.RMA_REQUEST, ProcessingState.CANCELLED, "Cancelled", "Storniert"),
    ]
)

# Where an order may go from each state. Another status of the same state is no move, and always allowed.
ORDER_MOVES: dict[ProcessingState, frozenset[ProcessingState]] = {
    ProcessingState.NOT_STARTED: frozenset({ProcessingState.IN_PROGRESS, ProcessingState.CANCELLED}),
    ProcessingState.IN_PROGRESS: frozenset({ProcessingState.COMPLETED, ProcessingState.CANCELLED}),
    ProcessingState.COMPLETED: frozenset(),
    ProcessingState.CANCELLED: frozenset(),
}

# States in which what is outstanding keeps its stock reserved.
OPEN_STATES = (ProcessingState.NOT_STARTED, ProcessingState.IN_PROGRESS)


@dataclass(eq=False, kw_only=True)
class TransitionNotAllowed(BrokenRule):
    """An order or a request cannot go from its processing state to that of the status."""

    english = "This cannot go from {before} to {after}."
    german = "Ein Wechsel von {before} nach {after} ist hier nicht möglich."

    before: str
    after: str


@dataclass(eq=False, kw_only=True)
class CodeTaken(BrokenRule):
    """Another status of the same subject has this code."""

    english = "The code {taken} is taken."
    german = "Der Code {taken} ist vergeben."

    taken: str


@dataclass(eq=False, kw_only=True)
class PositionInvalid(BrokenRule):
    """A place in a list is negative or too far down."""

    english = "A position is 0 to {most}."
    german = "Eine Position ist 0 bis {most}."

    most: int = LARGEST_POSITION


class PredefinedNeeded(BrokenRule):
    """The status stands for its state, and one has to."""

    english = "One status has to stand for each state: let another one take over."
    german = "Für jeden Bearbeitungsstatus muss ein Status stehen: Lassen Sie einen anderen an seine Stelle treten."


def may_move(before: ProcessingState, after: ProcessingState) -> bool:
    """Whether an order may go from one state to another."""
    return before == after or after in ORDER_MOVES[before]


def check_move(before: ProcessingState, after: ProcessingState, *path: str) -> None:
    """Raises TransitionNotAllowed."""
    if not may_move(before, after):
        raise TransitionNotAllowed(before=before, after=after, path=path)


def check_position(position: int | None, *path: str) -> None:
    """None is no position yet. Raises PositionInvalid."""
    if position is not None and not 0 <= position <= LARGEST_POSITION:
        raise PositionInvalid(path=path)
