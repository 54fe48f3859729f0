"""Faults: what must hold when disks fill, processes die, networks fall silent and clients misbehave, shown on real servers."""
