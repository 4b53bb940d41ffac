"""scipy's Mann-Whitney test, metric by metric: what a script that compares two windows does.

Arguments: a file of little-endian doubles, one series after the other; samples a series; the first sample of the fault and
the first after it; rounds. Prints the seconds of the fastest round, without starting Python and reading the file.
"""

import sys
import time

import numpy
from scipy.stats import mannwhitneyu

path, steps, fault_from, fault_to, rounds = sys.argv[1], *map(int, sys.argv[2:6])
series = numpy.fromfile(path, dtype="<f8").reshape(-1, steps)


def seconds_of_a_round():
    start = time.perf_counter()
    for one in series:
        mannwhitneyu(one[:fault_from], one[fault_from:fault_to])
    return time.perf_counter() - start


print(min(seconds_of_a_round() for _ in range(rounds)))
