"""What 1, 10 and 100 workers do with 1,000, 100,000 and 1,000,000 submissions, and who is waited for.

    python -m benchmarks.cluster.simulate [costs.json] [--picture scaling.svg]

The constants are measured, by ``benchmarks.cluster.client`` (the client's CPU seconds and memory for each
submission, dask's for each chunk) and ``benchmarks.cluster.scaling`` (a worker's seconds to start, to warm
up and for each submission). The events of a run are played: the client takes in, hands out chunks of fifty,
never more than it may have in hand, and takes one answer after another; a worker grades one chunk at a time.
Nothing is drawn: durations are the means.
"""

import argparse
import heapq
import json
from pathlib import Path

from graders.batch import CHUNK
from graders.workers import AHEAD

COSTS = Path(__file__).with_name("costs.json")
WORKERS = (1, 10, 100)
SUBMISSIONS = (1_000, 100_000, 1_000_000)


def constants(kept, client="client"):
    """Return the constants of a file of measured costs, in seconds and bytes."""
    each, during = kept[client]["each"], ("packing", "reading answers", "keeping and writing")
    return {
        "before": each["taking in"],
        "each": sum(each[step] for step in during) + kept[client]["dask for a chunk"] / CHUNK,
        "after": each["class files"],
        "memory": each["bytes of memory"],
        "start": max(row["start s"] for row in kept["scaling"]),
        **kept["worker"],
    }


def played(cost, workers, submissions):
    """Return (seconds of a run, share of them in which the client is busy)."""
    size = max(1, min(CHUNK, -(-submissions // (4 * workers))))
    chunks = -(-submissions // size)
    now = cost["start"] + cost["before"] * submissions
    busy = cost["before"] * submissions
    free = [now + cost["warm up"]] * workers  # when each worker can begin its next chunk
    heapq.heapify(free)
    answers, handed = [], 0  # when answers that the client has not taken yet are there
    while handed < chunks or answers:
        while handed < chunks and len(answers) < AHEAD * workers:
            done = max(heapq.heappop(free), now) + size * cost["worker"]
            heapq.heappush(free, done)
            heapq.heappush(answers, done)
            handed += 1
        now = max(now, heapq.heappop(answers)) + size * cost["each"]
        busy += size * cost["each"]
    now += cost["after"] * submissions
    return now, (busy + cost["after"] * submissions) / now


def in_words(seconds):
    """Return a duration as a person says it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def table(cost):
    """Return the lines of a table: a row for each number of workers."""
    yield "| workers | " + " | ".join(f"{n:,} submissions" for n in SUBMISSIONS) + " | limit |"
    yield "| ---: | " + "---: | " * len(SUBMISSIONS) + "--- |"
    for workers in WORKERS:
        runs = [played(cost, workers, n) for n in SUBMISSIONS]
        cells = [f"{in_words(seconds)} (client busy {100 * share:.0f} %)" for seconds, share in runs]
        limit = "the client" if runs[-1][1] > 0.9 else "the workers"
        yield f"| {workers} | {' | '.join(cells)} | {limit} |"


def draw(before, after, path):
    """Draw hours for 1,000,000 submissions over workers, with the constants before and after."""
    from matplotlib.figure import Figure

    counts = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, cost, style in (("client before", before, "o--"), ("client now", after, "s-")):
        hours = [played(cost, n, SUBMISSIONS[-1])[0] / 3600 for n in counts]
        axes.loglog(counts, hours, style, color="0.55" if style.endswith("--") else "#0b5394", label=name)
    ideal = [after["worker"] * SUBMISSIONS[-1] / n / 3600 for n in counts]
    axes.loglog(counts, ideal, ":", color="black", label="workers alone")
    axes.set(xlabel="workers", ylabel="hours for 1,000,000 submissions")
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100], [1, 2, 5, 10, 20, 50, 100])
    axes.set_yticks([0.2, 0.5, 1, 2, 5, 10, 20, 50], [0.2, 0.5, 1, 2, 5, 10, 20, 50])
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    figure.savefig(path)


def page(kept):
    """Return the page of the documentation that the figures fill."""
    now, before = constants(kept), constants(kept, "client before")
    rows = kept["scaling"][1:]
    last = rows[-1]
    steps = kept["client"]["each"], kept["client before"]["each"]
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            scaling="\n".join(
                f"| {r['workers']} | {r['submissions']} | {r['start s']:.1f} | {r['wall s']:.1f} |"
                f" {r['client CPU s']:.1f} | {r['workers CPU s']:.1f} | {r['busiest worker CPU s']:.1f} |"
                for r in rows
            ),
            times=rows[0]["wall s"] / last["wall s"],
            free=rows[0]["busiest worker CPU s"] / last["busiest worker CPU s"],
            load=kept["load"],
            client="\n".join(
                f"| {step} | {1000 * steps[1][step]:.2f} | {1000 * steps[0][step]:.2f} |"
                for step in steps[0]
                if not step.startswith("bytes")
            ),
            dask=f"| dask, its scheduler included | {20 * kept['client before']['dask for a chunk']:.2f} |"
            f" {20 * kept['client']['dask for a chunk']:.2f} |",
            memory=f"{before['memory'] / 1024:.0f} KB | {now['memory'] / 1024:.0f} KB",
            size=kept["client"]["submissions"],
            worker=1000 * now["worker"],
            warm=now["warm up"],
            before="\n".join(table(before)),
            now="\n".join(table(now)),
            limit=now["worker"] / now["each"],
            gigabytes=1e6 * now["memory"] / 2**30,
        )
    )


def main():
    """Print the table; draw the curve and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("costs", type=Path, nargs="?", default=COSTS)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    kept = json.loads(asked.costs.read_text(encoding="utf-8"))
    cost = constants(kept)
    print("\n".join(table(cost)))
    each = 1000 * (cost["before"] + cost["each"] + cost["after"])
    print(f"A submission costs the client {each:.1f} ms and a worker {1000 * cost['worker']:.0f} ms.")
    print(f"From {cost['worker'] / cost['each']:.0f} workers on the client is the limit.")
    print(f"1,000,000 submissions take {1e6 * cost['memory'] / 2**30:.0f} GB of the client's memory.")
    if asked.picture is not None:
        draw(constants(kept, "client before"), cost, asked.picture)
    if asked.write is not None:
        asked.write.write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
