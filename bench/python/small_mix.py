"""small mix: a little of trees, churn and json, for counting instructions."""

from json_records import round_trips
from timing import scaled, timed
from trees import build, count


def small_mix():
    for _ in range(scaled(8)):
        count(build(11))
    store = {}
    for i in range(scaled(20_000)):
        store["k" + str(i)] = str(i)
    round_trips(scaled(1500), 2)


timed("small-mix", small_mix)
