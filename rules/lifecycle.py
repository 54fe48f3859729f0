"""Lifecycle: the processing states that every company's own statuses belong to."""

from dataclasses import dataclass
from enum import StrEnum


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

# States in which what is outstanding keeps its stock reserved.
OPEN_STATES = (ProcessingState.NOT_STARTED, ProcessingState.IN_PROGRESS)
