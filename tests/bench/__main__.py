"""`make bench`: what the engine costs, beside a bare client loop in the same run, as a table and as JSON lines.

`python -m tests.bench [--size 200] [--large 1000] [--only NAME]`. Figures go to build/bench.jsonl.
"""

from __future__ import annotations

import argparse
import compileall
import json
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gitops_workers.local.scratch import scratch_folder
from tests.bench import planning, repositories, scenario, waves
from tests.bench.floor import bare_loop

OUT = Path("build/bench.jsonl")
TARGETS = {
    "first sync, s": 8,
    "first sync, engine CPU-s": 10,
    "first sync, API requests": 2200,
    "first sync gated on health, s": 9,
    "quiet minute, engine CPU-s": 1.3,
    "quiet minute, API requests": 20,
    "one-directory commit, p50 s": 0.3,
    "one-directory commit, max s": 1.0,
    "one-directory commit, renders": 1,
    "one-directory commit, engine CPU-s": 0.3,
    "base change reaching all, s": 8,
    "peak memory, MiB": 300,
    "first sync from a repository each, of one repository's": 1.5,
    "webhooks for 200 repositories polled, s": 10,
    "commit beside a silent Git host, max s": 2,
    "recovery after an API outage of 5 s, s": 90,
    "planning 3 objects, ms": 1,
    "planning 2000 objects, ms": 200,
}


class Report:
    """Collects figures, prints them as they come and once more as a table."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float]] = []

    def add(self, size: int, figure: str, value: float) -> None:
        """One figure of a fleet of `size`."""
        self.rows.append((figure, size, value))
        OUT.parent.mkdir(exist_ok=True)
        unit = figure.rpartition(" ")[2]
        line = {"bench": f"fleet-{size}", "figure": figure, "value": round(value, 3), "unit": unit}
        with OUT.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"  {figure} ({size}): {value:.2f}", flush=True)

    def table(self) -> str:
        """Markdown: figure, fleet, measured, to reach, ratio to the floor's seconds where seconds are meant."""
        floor = next((value for figure, _, value in self.rows if figure == "bare client loop, s"), 0.0)
        lines = ["| figure | applications | measured | to reach | of the bare loop |", "|---|---|---|---|---|"]
        for figure, size, value in self.rows:
            ratio = f"{value / floor:.2f}" if floor and figure.endswith(", s") else ""
            lines.append(f"| {figure} | {size} | {value:.2f} | {TARGETS.get(figure, '')} | {ratio} |")
        return "\n".join(lines)


def fleet_figures(report: Report, folder: Path, size: int) -> None:
    """First sync, quiet minute, commits and base change of one fleet."""
    with scenario.running(folder, size) as bench:
        floor = bare_loop(bench.plane, size)
        report.add(size, "bare client loop, s", floor["seconds"])
        report.add(size, "bare client loop, CPU-s", floor["cpu"])
        time.sleep(5)
        first = scenario.first_sync(bench, folder / "catalogue", wait=False)
        report.add(size, "first sync, s", first["seconds"])
        report.add(size, "first sync, engine CPU-s", first["cpu"])
        report.add(size, "first sync, API requests", first["requests"])
        time.sleep(65)
        _quiet(report, bench)
        _commits(report, bench)
        base = scenario.base_change(bench, 7)
        report.add(size, "base change reaching all, s", base["seconds"])
        report.add(size, "base change, engine CPU-s", base["cpu"])
        report.add(size, "peak memory, MiB", max(first["memory"], base["memory"]))


def gated_figures(report: Report, folder: Path, size: int) -> None:
    """First sync of a fleet that waits for health."""
    with scenario.running(folder, size) as bench:
        first = scenario.first_sync(bench, folder / "catalogue", wait=True)
        report.add(size, "first sync gated on health, s", first["seconds"])


def large_figures(report: Report, folder: Path, size: int) -> None:
    """Quiet minute and commits of a large fleet."""
    with scenario.running(folder, size) as bench:
        first = scenario.first_sync(bench, folder / "catalogue", wait=False)
        report.add(size, "first sync, s", first["seconds"])
        time.sleep(65)
        _quiet(report, bench)
        _commits(report, bench)


def waiting_figures(report: Report, folder: Path, size: int) -> None:
    """Two waves whose Deployments take 20 s, beside the same fleet with Deployments that are ready at once."""
    for healthy_after in (0.0, 20.0):
        took, longest = waves.seconds(folder / f"after-{healthy_after:g}", size, healthy_after)
        report.add(size, f"two waves healthy after {healthy_after:g} s each, s", took)
        report.add(size, f"longest task of two waves after {healthy_after:g} s, s", longest)


def repository_figures(report: Report, folder: Path, size: int) -> None:
    """First sync of as many repositories as applications beside that of one repository, and a push to many at once."""
    with scenario.running(folder / "one", size) as bench:
        one = scenario.first_sync(bench, folder / "one" / "catalogue", wait=False)
    report.add(size, "first sync from one repository, s", one["seconds"])
    report.add(size, "first sync from one repository, engine CPU-s", one["cpu"])
    paths = repositories.write_repositories(folder / "many-repositories", size)
    with scenario.running(folder / "many", size) as bench:
        many = repositories.first_sync(bench, folder / "many" / "catalogue", paths)
        report.add(size, "first sync from a repository each, s", many["seconds"])
        report.add(size, "first sync from a repository each, engine CPU-s", many["cpu"])
        report.add(size, "first sync from a repository each, of one repository's", many["seconds"] / one["seconds"])
        report.add(size, "first sync from a repository each, peak memory, MiB", many["memory"])
        polled, applied = repositories.storm(bench, paths)
        report.add(size, "webhooks for 200 repositories polled, s", polled)
        report.add(size, "webhooks for 200 repositories applied, s", applied)


def silent_host_figures(report: Report, folder: Path, size: int) -> None:
    """Commits of a healthy application beside forty whose Git host never answers."""
    with scenario.running(folder, size) as bench:
        scenario.first_sync(bench, folder / "catalogue", wait=False)
        found = repositories.beside_silence(bench, folder / "catalogue")
        report.add(size, "commit alone, p50 s", found["alone"])
        report.add(size, "commit beside a silent Git host, p50 s", found["beside"])
        report.add(size, "commit beside a silent Git host, max s", found["slowest"])
        report.add(size, "beside a silent Git host, peak memory, MiB", found["memory"])


def recovery_figures(report: Report, folder: Path, size: int) -> None:
    """An API server that is killed for five seconds while everybody gets a commit."""
    for count in dict.fromkeys((60, size)):
        with scenario.running(folder / str(count), count) as bench:
            scenario.first_sync(bench, folder / str(count) / "catalogue", wait=False)
            report.add(count, "recovery after an API outage of 5 s, s", repositories.recovery(bench, 7))


def planning_figures(report: Report, _: Path, __: int) -> None:
    """Deciding alone, without any request."""
    for size in (3, 2000):
        report.add(1, f"planning {size} objects, ms", planning.milliseconds(size))


def _quiet(report: Report, bench: scenario.Bench) -> None:
    quiet = scenario.quiet(bench)
    report.add(bench.size, "quiet minute, engine CPU-s", quiet["cpu"])
    report.add(bench.size, "quiet minute, API requests", quiet["requests"])


def _commits(report: Report, bench: scenario.Bench) -> None:
    commits = scenario.commits(bench)
    report.add(bench.size, "one-directory commit, p50 s", commits["p50"])
    report.add(bench.size, "one-directory commit, max s", commits["max"])
    report.add(bench.size, "one-directory commit, renders", commits["renders"])
    report.add(bench.size, "one-directory commit, engine CPU-s", commits["cpu"])


def compiled() -> None:
    """Write the bytecode that pip writes when it installs.

    Without it (uv writes none, PYTHONDONTWRITEBYTECODE keeps it away) each process compiles what it imports, and the
    remains of that are 10 MB of each process' memory.
    """
    for folder in (sysconfig.get_path("purelib"), "gitops_workers", "scheduler"):
        compileall.compile_dir(folder, quiet=2, workers=0)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--large", type=int, default=1000)
    parser.add_argument(
        "--only",
        choices=["fleet", "gated", "large", "waiting", "planning", "repositories", "silent", "recovery"],
        action="append",
    )
    chosen = parser.parse_args()
    parts: dict[str, tuple[Callable[[Report, Path, int], None], int]] = {
        "fleet": (fleet_figures, chosen.size),
        "gated": (gated_figures, chosen.size),
        "large": (large_figures, chosen.large),
        "waiting": (waiting_figures, chosen.large),
        "planning": (planning_figures, 1),
        "repositories": (repository_figures, chosen.large),
        "silent": (silent_host_figures, 20),
        "recovery": (recovery_figures, chosen.large),
    }
    compiled()
    report = Report()
    for name, (measure, size) in parts.items():
        if chosen.only and name not in chosen.only:
            continue
        print(f"{name}: {size} applications", flush=True)
        with tempfile.TemporaryDirectory() as state, scratch_folder("bench", Path(state)) as folder:
            measure(report, folder, size)
    print(report.table())


if __name__ == "__main__":
    main()
