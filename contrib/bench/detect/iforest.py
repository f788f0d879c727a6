#!/usr/bin/env python3
"""An isolation forest on the same vectors, as a baseline for detection.

    go run ./contrib/bench/detect -vectors rows.csv
    python3 contrib/bench/detect/iforest.py rows.csv

Needs numpy and scikit-learn (1.2.1 was used). For each window the forest (100
trees of 256 rows) is fitted to conversations of windows that ended before it
began, a fair sample of at most 20 000, and scores its conversations. Features
that the product takes the logarithm of are taken the logarithm of here too;
nothing else is scaled, a forest does not mind.

Incidents are the highest score of each actor in a window, and figures are those
of detect: README.md beside this file has their definitions. The first line
groups the product's own scores in the same simple way; detect, which reads
incidents from anomaly.log, leaves out what an actor does not stand out by, so
its figures differ a little.
"""

import csv
import sys
from collections import defaultdict

try:
    import numpy as np
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import average_precision_score, roc_auc_score
except ImportError as err:
    sys.exit(f"iforest.py: {err}: it needs numpy and scikit-learn (pip install scikit-learn, or python3-sklearn of a distribution)")

WARM_UP = 240  # seconds after the first packet, as in detect
PAST_ROWS = 20_000  # most that a forest is fitted to
LEAST_ROWS = 20  # fewest, as the product wants them for a model
SEEDS = range(5)
RANKS, RATES = (1, 3, 5, 10), (6, 20, 60)
OTHERS = ("ts", "window", "elapsed", "actor", "orig", "resp", "service", "kind", "score")
# As the units in analysis/flowvec/feature.go say.
LOG = ("s_n s_b s_rb s_flows s_ppf s_pay s_rpay log_dports fail_fanout fail_fanin same_port_fanout src_ports upload peak").split()
LOG_GAP = ("s_iat",)  # ln(x + 0.0001)


class Rows:
    """The conversations of all windows of one length."""

    def __init__(self, records, features):
        self.ts = np.array([float(r["ts"]) for r in records])
        self.elapsed = np.array([float(r["elapsed"]) for r in records])
        self.actor = [r["actor"] for r in records]
        self.kind = [r["kind"] for r in records]
        self.score = np.array([float(r["score"] or "nan") for r in records])
        x = np.array([[float(r[f]) for f in features] for r in records])
        for j, f in enumerate(features):
            if f in LOG:
                x[:, j] = np.log1p(x[:, j])
            elif f in LOG_GAP:
                x[:, j] = np.log(np.maximum(x[:, j], 0) + 1e-4)
        self.x = x


def forest_scores(rows, length, seed):
    """A score for each row, nan where there is no past; higher is stranger."""
    scores = np.full(len(rows.ts), np.nan)
    lots = np.random.RandomState(seed).permutation(len(rows.ts))  # the lowest are kept
    for end in np.unique(rows.ts):
        here = rows.ts == end
        past = np.flatnonzero(rows.ts <= end - length)
        if rows.elapsed[here][0] <= WARM_UP or len(past) < LEAST_ROWS:
            continue
        past = past[np.argsort(lots[past])][:PAST_ROWS]
        forest = IsolationForest(n_estimators=100, max_samples=min(256, len(past)), random_state=seed)
        scores[here] = -forest.fit(rows.x[past]).score_samples(rows.x[here])
    return scores


class Tally:
    """What one length of window reaches."""

    def __init__(self, rows, scores, hours):
        self.hours, self.best, self.far, self.benign, muted = hours, {}, {}, [], {}
        reports = defaultdict(dict)  # end of window -> actor -> row with the highest score
        for i in np.flatnonzero(~np.isnan(scores) & (rows.elapsed > WARM_UP)):
            tops = reports[rows.ts[i]]
            if rows.actor[i] not in tops or scores[i] > scores[tops[rows.actor[i]]]:
                tops[rows.actor[i]] = i
        for tops in reports.values():
            for rank, i in enumerate(sorted(tops.values(), key=lambda i: -scores[i]), 1):
                kind, score = rows.kind[i], scores[i]
                if kind:
                    self.best[kind] = min(rank, self.best.get(kind, rank))
                    self.far[kind] = max(score, self.far.get(kind, score))
                else:
                    self.benign.append(score)
                    turn = rows.actor[i], int((rows.elapsed[i] - WARM_UP) // 3600)
                    muted[turn] = max(score, muted.get(turn, score))
        self.benign.sort(reverse=True)
        self.muted = sorted(muted.values(), reverse=True)

    def top(self, rank):
        return {k for k, best in self.best.items() if best <= rank}

    def above(self, benign, per_hour):
        n = int(per_hour * self.hours)
        limit = benign[n] if n < len(benign) else -np.inf
        return {k for k, far in self.far.items() if far > limit}


def figures(tallies, kinds):
    """Recall by rank, by rate, and by rate when muted; each length gets its part of the rate."""
    of = lambda sets: len(set().union(*sets)) / kinds
    return (
        [of(t.top(n) for t in tallies) for n in RANKS]
        + [of(t.above(t.benign, n / len(tallies)) for t in tallies) for n in RATES]
        + [of(t.above(t.muted, n / len(tallies)) for t in tallies) for n in RATES]
    )


def areas(rows, scores):
    """Areas under the ROC and precision-recall curves: each kind against rows without one, means over kinds."""
    use = ~np.isnan(scores) & (rows.elapsed > WARM_UP)
    kind, scores = np.array(rows.kind)[use], scores[use]
    both = []
    for name in set(kind) - {""}:
        some = (kind == name) | (kind == "")
        both.append([f(kind[some] == name, scores[some]) for f in (roc_auc_score, average_precision_score)])
    return np.mean(both, axis=0)


def all_figures(lengths, scores, hours, kinds):
    """Figures by window: each length, then both."""
    tallies = {length: Tally(rows, scores[length], hours) for length, rows in lengths.items()}
    columns = {f"{int(length) // 60}m": figures([t], kinds) for length, t in tallies.items()}
    columns["both"] = figures(list(tallies.values()), kinds)
    return columns


def show(name, columns, spread=None):
    for window, values in columns.items():
        print(f"{name:26} {window:>5}  " + " ".join(f"{v:5.2f}" for v in values))
        if spread:
            least, most = spread[window]
            print(f"{'  least':26} {'':>5}  " + " ".join(f"{v:5.2f}" for v in least))
            print(f"{'  most':26} {'':>5}  " + " ".join(f"{v:5.2f}" for v in most))


def main(path):
    with open(path, newline="") as f:
        records = list(csv.DictReader(f))
    features = [f for f in records[0] if f not in OTHERS]
    by_length = defaultdict(list)
    for r in records:
        by_length[float(r["window"])].append(r)
    lengths = {length: Rows(by_length[length], features) for length in sorted(by_length)}
    hours = (max(float(r["elapsed"]) for r in records) - WARM_UP) / 3600
    kinds = len({r["kind"] for r in records} - {""})
    print(f"{len(records)} conversations, {kinds} kinds with some, {hours * 60:.1f} minutes evaluated\n")
    print(f"{'recall of kinds':26} {'':>5}  {'at rank':24}{'false incidents/h':18}{'the same, muted'}")
    print(f"{'':26} {'':>5}  " + " ".join(f"{n:5}" for n in RANKS + RATES + RATES))
    own = {length: rows.score for length, rows in lengths.items()}
    ours = all_figures(lengths, own, hours, kinds)
    show("the product's scores", ours)
    forests = [{length: forest_scores(rows, length, seed) for length, rows in lengths.items()} for seed in SEEDS]
    runs = [all_figures(lengths, scores, hours, kinds) for scores in forests]
    mean = {w: np.mean([r[w] for r in runs], axis=0) for w in ours}
    spread = {w: (np.min([r[w] for r in runs], axis=0), np.max([r[w] for r in runs], axis=0)) for w in ours}
    show(f"forest, mean of {len(runs)} seeds", mean, spread)
    print()
    for length, rows in lengths.items():
        theirs = np.mean([areas(rows, scores[length]) for scores in forests], axis=0)
        print(f"{int(length) // 60}m: ROC-AUC and PR-AUC, mean over kinds: the product {'%.2f %.2f' % tuple(areas(rows, own[length]))}, "
              f"forest {'%.2f %.2f' % tuple(theirs)}")
    for name, at in ("", len(RANKS) + RATES.index(20)), (", muted", len(RANKS) + len(RATES) + RATES.index(20)):
        print(f"the product less the forest at 20/h{name}: " + ", ".join(f"{w} {ours[w][at] - mean[w][at]:+.2f}" for w in ours))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: iforest.py rows.csv, as detect -vectors writes it")
    main(sys.argv[1])
