"""Random examples without a stopwatch: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("kontor", deadline=None)
settings.load_profile("kontor")
