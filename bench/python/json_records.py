"""json: user records, written and read four times."""

import json

from timing import scaled, timed


def record(i):
    return {
        "id": i,
        "name": f"user{i}",
        "tags": [f"tag{i % 7}", f"tag{i % 11}", f"tag{i % 13}"],
        "score": i * 1.5,
        "more": {"list": [i, i + 1, i + 2], "nothing": None, "text": "x" * (i % 40)},
    }


def round_trips(count, times):
    records = [record(i) for i in range(count)]
    for _ in range(times):
        assert json.loads(json.dumps(records)) == records


if __name__ == "__main__":
    timed("json", round_trips, scaled(20_000), 4)
