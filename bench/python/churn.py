"""churn: one dict whose keys come and go, with strings of many lengths as values."""

from timing import scaled, timed


def churn():
    store = {}
    for i in range(scaled(700_000)):
        store["k" + str(i * 7919 % 200003)] = str(i) + "x" * (i & 63)
        if i % 4 == 0:
            store.pop("k" + str(i * 104729 % 200003), None)


timed("churn", churn)
