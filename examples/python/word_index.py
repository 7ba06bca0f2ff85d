"""A real piece of work: an index of words.

Makes a text of 300,000 words, finds every word's places, counts pairs of neighbours, writes the result as
JSON, reads it back and compares. About a second of strings, lists, dicts and tuples coming and going.
"""

import collections
import json


def words(count, seed=1):
    """The same pseudo-random words in every run, some frequent and most rare."""
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    state = seed
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        rank = int(4000 * (state >> 40) ** 3 / 2**72)
        yield syllables[rank % 60] + syllables[rank // 60 % 60] + ("n" if rank % 2 else "")


text = " ".join(words(300_000))
places = collections.defaultdict(list)
pairs = collections.Counter()
previous = ""
for place, word in enumerate(text.split()):
    places[word].append(place)
    pairs[previous, word] += 1
    previous = word

index = {word: {"count": len(found), "first": found[0], "places": found} for word, found in places.items()}
written = json.dumps({"index": index, "pairs": [[*pair, count] for pair, count in pairs.most_common(20_000)]})
read = json.loads(written)
assert read["index"] == index

print("words:", sum(len(found) for found in places.values()), "different:", len(places), "pairs:", len(pairs))
print("characters of JSON:", len(written))
frequent = sorted(index, key=lambda word: -index[word]["count"])[:5]
print("most frequent:", ", ".join(f"{word} {index[word]['count']}" for word in frequent))
