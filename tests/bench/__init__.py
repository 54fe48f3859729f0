"""Tests of what is measured: that it is the same everywhere."""
