#!/usr/bin/env python3
"""What scikit-learn's Lloyd makes of some data sets, for TestAgainstScikitLearn.

    python3 analysis/kmeans/testdata/sklearn.py     # from the root; rewrites sklearn.json beside this file

Needs numpy and scikit-learn; 1.2.1 wrote what is there. The rows are not stored:
rows() here and scikitRows in scikit_test.go make the same bits from the same
seed, with a generator of one multiplication and no function of a library but the
square root, which rounds the same way everywhere. check is the sum of all
numbers, so that a test that made other rows says so.
"""

import json
import math
import os
import sys

if os.path.dirname(os.path.abspath(__file__)) in map(os.path.abspath, sys.path[:1]):
    del sys.path[0]  # this file's own name must not hide the library

try:
    import numpy as np
    import sklearn
    from sklearn.cluster import KMeans
except ImportError as err:
    sys.exit(f"sklearn.py: {err}: it needs numpy and scikit-learn (pip install scikit-learn, or python3-sklearn of a distribution)")

MASK = (1 << 64) - 1
SHAPES = [("mixture", 3000, 8, 4), ("mixture", 3000, 16, 32), ("mixture", 5000, 29, 64),
          ("heavy", 3000, 8, 16), ("heavy", 3000, 29, 64),
          ("counts", 3000, 8, 8), ("counts", 4000, 29, 64)]


class Source:
    """Knuth's MMIX generator; a number in [0, 1) is its upper 53 bits."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return (self.state >> 11) / (1 << 53)

    def below(self, n):
        return int(self.uniform() * n)

    def bell(self):
        """Nearly normal: twelve uniform numbers, less 6."""
        s = -6.0
        for _ in range(12):
            s += self.uniform()
        return s


def rows(kind, n, d, k, seed):
    """n rows of d numbers; k centres, where the kind has centres."""
    r = Source(seed)
    centres = [[r.uniform() * 12 - 6 for _ in range(d)] for _ in range(k)]
    out = []
    for _ in range(n):
        if kind == "mixture":  # of normal distributions with a deviation of 1
            c = centres[r.below(k)]
            out.append([x + r.bell() for x in c])
        elif kind == "heavy":  # a Pareto distribution with an infinite variance
            out.append([1 / math.sqrt(1 - r.uniform()) for _ in range(d)])
        else:  # counts: whole numbers, which lie as far from several starts
            c = centres[r.below(k)]
            out.append([math.floor(x + r.uniform() * 2) for x in c])
    return np.array(out, dtype=np.float64)


def main():
    cases = []
    for seed, (kind, n, d, k) in enumerate(SHAPES, 1):
        x = rows(kind, n, d, k, seed)
        _, first = np.unique(x, axis=0, return_index=True)
        r = Source(1000 + seed)
        start = sorted(first.tolist(), key=lambda _: r.uniform())[:k]  # distinct rows
        with np.errstate(all="raise"):
            m = KMeans(n_clusters=k, init=x[start], n_init=1, algorithm="lloyd", tol=0, max_iter=300).fit(x)
        cases.append({"kind": kind, "n": n, "d": d, "k": k, "seed": seed, "check": math.fsum(x.ravel()), "start": start,
                      "inertia": m.inertia_, "iterations": int(m.n_iter_), "sizes": np.bincount(m.labels_, minlength=k).tolist()})
        print(kind, n, d, k, m.inertia_, m.n_iter_, cases[-1]["sizes"][:8])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sklearn.json"), "w") as f:
        f.write('{"version": %s, "cases": [\n' % json.dumps(sklearn.__version__))
        f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
