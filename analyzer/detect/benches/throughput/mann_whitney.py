"""scipy's Mann-Whitney test, metric by metric: what a script that compares two windows does.

Arguments: a file of little-endian doubles, one series after the other; samples a series; the first sample of the fault and
the first after it. Prints the seconds that the loop took, without starting Python and reading the file.
"""

import sys
import time

import numpy
from scipy.stats import mannwhitneyu

path, steps, fault_from, fault_to = sys.argv[1], *map(int, sys.argv[2:5])
series = numpy.fromfile(path, dtype="<f8").reshape(-1, steps)
mannwhitneyu(series[0, :fault_from], series[0, fault_from:fault_to])
start = time.perf_counter()
p_values = [mannwhitneyu(one[:fault_from], one[fault_from:fault_to]).pvalue for one in series]
seconds = time.perf_counter() - start
assert len(p_values) == len(series)
print(seconds)
