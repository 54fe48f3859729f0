"""Plots of the figures; needs the extra `bench`, and says so without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SERVER, _POSTGRES = "#3b6ea5", "#c9d7e6"


@dataclass(frozen=True, slots=True)
class Bar:
    """A server's CPU a request: its own, and PostgreSQL's on top of it."""

    title: str
    server_ms: float
    postgres_ms: float


def bars(panels: Mapping[str, Sequence[Bar]], path: Path) -> None:
    """A panel for each operation, a bar for each server."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    sizes = [len(found) for found in panels.values()]
    figure, axes = pyplot.subplots(
        len(panels), 1, figsize=(9, 0.42 * sum(sizes) + 0.9 * len(panels)), height_ratios=sizes
    )
    for axis, (title, found) in zip(axes, panels.items(), strict=True):
        names = [each.title for each in found]
        own = [each.server_ms for each in found]
        axis.barh(names, own, color=_SERVER, label="server")
        axis.barh(names, [each.postgres_ms for each in found], left=own, color=_POSTGRES, label="PostgreSQL")
        for place, each in enumerate(found):
            both = each.server_ms + each.postgres_ms
            axis.text(both, place, f" {both:.2f}", va="center", fontsize=8)
        axis.invert_yaxis()
        axis.margins(x=0.1)
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(loc="lower right", frameon=False, fontsize=8)
    axes[-1].set_xlabel("CPU a request, ms")
    _save(pyplot, figure, path)


def lines(panels: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]], path: Path) -> None:
    """A panel for each thing that grows, a line for each operation: CPU a request over how much there is."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    figure, axes = pyplot.subplots(1, len(panels), figsize=(5 * len(panels), 3.6), squeeze=False)
    for axis, (title, found) in zip(axes[0], panels.items(), strict=True):
        for name, points in found.items():
            axis.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.set_xlabel(title)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8)
    axes[0][0].set_ylabel("CPU a request, ms")
    _save(pyplot, figure, path)


def _save(pyplot: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        print("no plot: `make bench` installs what draws it, the extra `bench` of pyproject.toml")
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
