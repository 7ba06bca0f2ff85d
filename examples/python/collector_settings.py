"""When the cycle collector runs by itself.

Objects that may be part of cycles are in one of three generations. gc.get_count() has the counters of these:
how many objects more were made than freed since the youngest generation was collected, and how often each
generation was collected since the next older one. A generation is collected when its counter passes its
threshold.
"""

import gc

print("enabled?", gc.isenabled())
print("thresholds are three numbers:", len(gc.get_threshold()) == 3)

gc.set_threshold(1000, 5, 5)
print("thresholds now:", gc.get_threshold())

collections = []
gc.callbacks.append(lambda phase, info: collections.append(info["generation"]) if phase == "start" else None)

gc.collect()
collections.clear()
kept = [[] for i in range(500)]             # 500 objects that may form cycles: not enough
print("after 500 lists:  collections", len(collections))
kept += [[] for i in range(5000)]           # more than five times the threshold
print("after 5500 lists: collections at least 5?", len(collections) >= 5)

gc.disable()
collections.clear()
kept += [[] for i in range(5000)]
print("disabled, 5000 lists more: collections", len(collections))
print("the counter went on counting:", gc.get_count()[0] > 4000)
gc.enable()
gc.callbacks.clear()
