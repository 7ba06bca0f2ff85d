"""compare.py ANSWER: asks the program ANSWER (answer.c) what the kinds do in some tens of thousands of cases, and Python the same; the answers must agree.

Where they differ by design nothing is asked, or what is expected is written down here:
  - Surrogates: a str has none, so UTF-8 can always be written. Making one is a ValueError (HWR_BAD_VALUE).
  - An order with a NaN: ValueError; Python answers False to every question, and what it sorts then is in no order.
  - Sets are in the order of insertion; Python's are in the order of their hashes. Only their members are compared.
  - Text of numbers is read in ASCII; Python also takes the digits and the spaces of other scripts.
  - Negative indices and steps are not offered. An index is not cut to the length in insert.
  - An int or a float in a list has no identity, so a NaN there is the same as another of the same bits.
  - Unicode is that of Python 3.11, version 14.0: under another Python, characters that one of the two does not have are counted and left out.
"""
import math
import os
import random
import struct
import subprocess
import sys
import unicodedata
from array import array
from fractions import Fraction

UNICODE = "14.0.0"
LONG = 20 if os.environ.get("HEAPWRIGHT_SOAK") else 1
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
chance = random.Random(5)


def word(value):
    """An operand as answer.c reads it. Sets are written as lists of their members in order."""
    if value is None or value is True or value is False:
        return str(value)[0]
    if type(value) is int:
        return f"i{value}"
    if type(value) is float:
        return "f" + (value.hex() if math.isfinite(value) else repr(value))
    if type(value) is str:
        return "s" + value.encode().hex()
    if type(value) in (bytes, bytearray):
        return ("b" if type(value) is bytes else "y") + value.hex()
    if type(value) is array:
        return f"a{value.typecode} {word(list(value))}"
    if type(value) is range:
        return f"r{value.start} {value.stop} {value.step}"
    if type(value) is dict:
        return " ".join(["{", *(word(x) for pair in value.items() for x in pair), "}"])
    start, end = {tuple: "()", list: "[]", set: "<>"}[type(value)]
    return " ".join([start, *map(word, value), end])


def attempt(function, *arguments):
    """What Python answers: a value's repr, a number, or the name of an exception."""
    try:
        return repr(function(*arguments))
    except (IndexError, OverflowError):
        return "!Range"
    except Exception as exception:
        return "!" + type(exception).__name__


CASES = []  # (question, expected answer)


def ask(operation, *operands, expect=None):
    """A question; its answer is the repr of the operand if nothing else is said. Operands that are no objects are Plain."""
    expect = repr(operands[0]) if expect is None else expect
    CASES.append((" ".join([operation, *(x if isinstance(x, Plain) else word(x) for x in operands)]), expect))


class Plain(str):
    pass


def plain(number):
    return Plain(str(number))


# ---- values to choose from ----

INTS = [0, 1, -1, 2, -5, -6, 7, 10, 256, 257, -128, 127, 128, 2**15, 2**31 - 1, -2**31, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -2**63, 2**63,
        -2**63 - 1, 2**64 - 1, 2**64, 10**18, 10**19, 10**30, -10**40, 2**100, 2**128 - 1, 3**200, -7**150, 2**1023, 2**1024 - 2**970, 2**1024, 10**400]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 0.1, 0.2, 1 / 3, 1e15, 1e16, 1e17, 123456789012345680.0, 1e22, 1e23, 1e-4, 1e-5, 5e-324, 2.2250738585072014e-308,
          2.225073858507201e-308, sys.float_info.max, -sys.float_info.max, 2.0**53, 2.0**53 + 2, 2.0**63, -2.0**63, 2.0**64, 2.0**100, 1e100, 1e308, math.inf, -math.inf,
          math.pi, 9007199254740993.0, 4.35, 100.0, 1e21]
NAN = math.nan
STRS = ["", "a", "b", "ab", "abc", "'", '"', "'\"", "\\", "\n\t\r\x00\x7f", "é", "ÿ", "Ā", "aĀ", "\u2028", "\uffff", "\U0001f600", "a\U0010ffffb", "z" * 300, "\xad", "\xa0", "ab\u0301"]
BYTES = [b"", b"a", b"ab", b"\x00\xff", b"'", b'"', b"'\"", b"\\\n", bytes(range(256))]
LEAVES = [None, True, False] + INTS + FLOATS + STRS + BYTES + [bytearray(b"a"), bytearray(b"'x\"\xff")]


def nested(depth=3):
    """A value of any kind, without sets and NaNs."""
    kind = chance.randrange(8) if depth else 0
    length = chance.choice((0, 1, 1, 2, 3, 9))
    if kind < 4:
        return chance.choice(LEAVES)
    if kind == 4:
        return [nested(depth - 1) for _ in range(length)]
    if kind == 5:
        return tuple(nested(depth - 1) for _ in range(length))
    return {chance.choice(KEYS): nested(depth - 1) for _ in range(length)}


KEYS = [x for x in LEAVES if not isinstance(x, bytearray)] + [(), (1, "a"), (1.0, "a"), ((1,), b"x"), (None, True)]


def random_int(bits=None):
    bits = bits or chance.choice((3, 8, 31, 32, 33, 62, 63, 64, 65, 96, 128, 500, 2100))
    return chance.getrandbits(bits) * chance.choice((1, -1))


def random_float():
    while True:
        value = struct.unpack("<d", chance.getrandbits(64).to_bytes(8, "little"))[0]
        if value == value:
            return chance.choice((value, float(chance.randrange(10**6)) / chance.choice((1, 10, 1000, 7))))


def random_str(most=12):
    alphabet = chance.choice(("ab", "abc'\"\\\n", "aéÿ", "aĀ\u2028", "a\U0001f600é"))
    return "".join(chance.choice(alphabet) for _ in range(chance.randrange(most)))


# ---- the table ----

def reprs():
    for value in LEAVES + [NAN]:
        ask("repr", value, expect=repr(value))
        ask("truth", value, expect=str(int(bool(value))))
        ask("len", value, expect=attempt(len, value))
    for _ in range(2000 * LONG):
        value = nested()
        ask("repr", value, expect=repr(value))
        ask("len", value, expect=attempt(len, value))
        ask("truth", value, expect=str(int(bool(value))))
    for _ in range(10000 * LONG):
        ask("repr", random_float())
    for exponent in range(-330, 310):
        for digits in "1", "9.999999999999999", "1.0000000000000002", "5":
            ask("repr", float(f"{digits}e{exponent}"))
    for exponent in range(-1074, 1024):
        for value in math.ldexp(1.0, exponent), math.nextafter(math.ldexp(1.0, exponent), 0):
            ask("repr", value)
    for first in range(256):
        for second in b"'\"\\a\x00":
            ask("repr", bytes((first, second)))
            ask("repr", bytearray((first, second)))


def relations():
    values = LEAVES + [nested(2) for _ in range(60)]
    for a in values:
        for b in values if LONG > 1 else chance.sample(values, 60) + [a]:
            relate(a, b)
    numbers = INTS + FLOATS + [True, False]
    for a in numbers:
        for b in numbers:
            relate(a, b)
    for _ in range(3000 * LONG):
        n = random_int()
        relate(n, n + chance.randrange(-2, 3))
        try:
            relate(n, math.nextafter(float(n), chance.choice((math.inf, -math.inf))) if chance.randrange(2) else float(n))
        except OverflowError:
            pass
        a, b = random_str(), random_str()
        relate(a, b)
        relate(a.encode(), bytearray(b.encode()))
        a, b = nested(2), nested(2)
        relate(a, b)
        relate([a, b], [a, nested(1)])
        relate((a, b), (a, nested(1)))
    for value in LEAVES:
        ask("eq", NAN, value, expect="0")
    for value in INTS + FLOATS + [NAN]:
        ask("order", NAN, value, expect="!ValueError")
    for a in [{1}, {1.0}, {1, 2}, {2, 1}, {True, 2}, {"a"}, {"a", "b"}, {"b", "a"}, set()]:
        for b in [{1}, {2, 1.0}, {"b", "a"}, set(), 1]:
            ask("eq", a, b, expect=str(int(a == b)))


def order(a, b):
    return -1 if a < b else 1 if a > b else 0


def relate(a, b):
    ask("eq", a, b, expect=str(int(a == b)))
    ask("order", a, b, expect=attempt(order, a, b))
    try:
        if hash(a) == hash(b) and a == b:
            ask("samehash", a, b, expect="1")
    except TypeError:
        ask("samehash", a, b, expect="!TypeError")


def arithmetic():
    operations = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
                  "floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}
    numbers = INTS + FLOATS + [NAN, True, False]
    pairs = [(a, b) for a in numbers for b in numbers]
    for _ in range(3000 * LONG):
        a, b = random_int(), random_int()
        pairs += [(a, b), (a * b + random_int(64), b), (a, random_float()), (random_float(), random_float())]
    pairs += [(1, "a"), ("a", 1), (None, 1), (1.0, b"")]
    for a, b in pairs:
        for name, function in operations.items():
            if name in ("add", "mul", "mod") and not (isinstance(a, (int, float)) and isinstance(b, (int, float))):
                continue
            ask(name, a, b, expect=attempt(function, a, b))
    for a in numbers + [random_int() for _ in range(200)]:
        ask("neg", a, expect=repr(-a))


def digits_of(n, base):
    digits, sign, n = "", "-" if n < 0 else "", abs(n)
    while n or not digits:
        n, digit = divmod(n, base)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return sign + digits


def reading():
    texts = ["", " ", "0", "-0", "+1", "--1", "1_000", "1__0", "_1", "1_", "0x10", "0X1f", "0x_f", "0x", "0b101", "0o17", "017", "00", "0_0", " 12 ", "\t\n12\x0b\x0c\r", "\x1c5", "12\x00", "1 2",
             "1e5", "zz", "Zz", "9" * 50, "-" + "8" * 400, "+ 1", "1.0", "\x1f7\x1e", "0b2", "0o8", "-0b1", "+0x1F", "- 1", "1\u00a0" , "٣"]
    for text in texts:
        for base in 0, 2, 3, 8, 10, 16, 36, 1, 37:
            if text.isascii():
                ask("int", text, plain(base), expect=attempt(int, text, base))
            else:
                ask("int", text, plain(base), expect="!ValueError")
    for _ in range(1500 * LONG):
        n, base = random_int(), chance.choice((2, 3, 7, 8, 10, 10, 16, 32, 36))
        text = digits_of(n, base)
        ask("int", text, plain(base), expect=repr(n))
        ask("format", n, plain(base), expect=repr(text))
    for n in INTS + [True]:
        for base in range(0, 39):
            ask("format", n, plain(base), expect=repr(digits_of(n, base)) if 2 <= base <= 36 else "!ValueError")
    texts += [".5", "5.", ".", "1e", "1e+", "e5", "1e400", "-1e400", "1e-400", "inf", "-INF", "Infinity", "infinit", "nan", "+NaN", "-nan", "nanx", "1_0.0_1", "1_.0", "1._0", "1e1_0", "0x1p3", "1.7976931348623159e308",
              "1.7976931348623158e308", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "9007199254740993", "0." + "0" * 400 + "1", "1" + "0" * 400 + "e-400", "1e99999999999999999999",
              "0e99999999999999999999", "1e-99999999999999999999", "0.1e+1", "1d5", "1.5f", "1,5", "١.٥"]
    for text in texts:
        ask("float", text, expect=attempt(float, text) if text.isascii() else "!ValueError")
    for _ in range(5000 * LONG):
        value = random_float()
        for text in repr(value), f"{value:.{chance.randrange(25)}e}", f"{chance.getrandbits(chance.choice((20, 64, 130)))}e{chance.randrange(-340, 320)}", f"{chance.random():.{chance.randrange(1, 40)}f}":
            ask("float", text, expect=attempt(float, text))
    # Halfway between two neighbours, and beside it.
    for _ in range(500 * LONG):
        low = abs(random_float())
        high = math.nextafter(low, math.inf)
        if not math.isfinite(high) or low < 1e-290:
            continue
        middle = (Fraction(low) + Fraction(high)) / 2
        scale = 10**60
        exact = middle * scale if low < 1e30 else middle
        for nudge in -1, 0, 1:
            text = f"{int(exact) + nudge}e-60" if low < 1e30 else f"{int(exact) + nudge}"
            ask("float", text, expect=attempt(float, text))


def texts():
    for _ in range(2000 * LONG):
        a, b, start, end = random_str(), random_str(4), chance.randrange(14), chance.randrange(14)
        ask("concat", a, b, expect=repr(a + b))
        ask("append", a, b, expect=repr(a + b))
        ask("strslice", a, plain(start), plain(end), expect=repr(a[start:end]))
        ask("find", a, plain(start), b, expect=str(a.find(b, start)))
        ask("find", a * 50 + b, plain(start), b + a, expect=str((a * 50 + b).find(b + a, start)))
        ask("repeat", a, plain(start), expect=repr(a * start))
        items = [random_str(5) for _ in range(start)]
        ask("join", b, chance.choice((items, tuple(items))), expect=repr(b.join(items)))
        x, y = a.encode(), b.encode()
        for kind in bytes, bytearray:
            ask("bytesconcat", kind(x), y, expect=repr(kind(x) + y))
            ask("bytesslice", kind(x), plain(start), plain(end), expect=repr(kind(x)[start:end]))
        ask("bytesconcat", x, bytearray(y), expect=repr(x + bytearray(y)))
    for items in ["a", 1], [None], [b"a"]:
        ask("join", ", ", items, expect="!TypeError")
    ask("concat", "a", 1, expect="!TypeError")
    for size in 1, 2, 100, 5000:
        haystack = "a" * size + "b" + "Ā" * size
        for needle in "b", "aab", "a" * size, "a" * size + "b", "Ā" * size, "Ā" * (size + 1), "":
            ask("find", haystack, plain(0), needle, expect=str(haystack.find(needle)))


def insert_at(items, index, item):
    if index > len(items):
        raise IndexError
    items.insert(index, item)


def set_at(items, index, item):
    items[index] = item


def changed(function, items, *arguments):
    """A copy of the items after the function."""
    items = list(items)
    try:
        function(items, *arguments)
    except IndexError:
        return "!Range"
    except TypeError:
        return "!TypeError"
    return repr(items)


def lists():
    families = [[0, 1, -1, 200, -70000, 2**40, 2**64], [0.5, -0.0, 1e300], ["a", "b", ""], [1, 2.0, True], [1, "a", None, (1, 2)], LEAVES]
    for _ in range(3000 * LONG):
        family = chance.choice(families)
        items = [chance.choice(family) for _ in range(chance.choice((0, 1, 2, 5, 8, 20)))]
        item = chance.choice(chance.choice((family, LEAVES)))
        i, j = chance.randrange(12), chance.randrange(12)
        ask("insert", items, plain(i), item, expect=changed(insert_at, items, i, item))
        ask("set", items, plain(i), item, expect=changed(set_at, items, i, item))
        ask("pop", items, plain(i), expect=changed(list.pop, items, i))
        ask("get", items, plain(i), expect=attempt(lambda: items[i]))
        ask("listslice", items, plain(i), plain(j), expect=repr(items[i:j]))
        ask("reverse", items, expect=changed(list.reverse, items))
        other = chance.choice((items, tuple(items[:5]), [item] * i))
        ask("extend", items, other, expect=repr(items + list(other)))
        if not any(isinstance(x, float) and x != x for x in items):
            ask("sort", items, expect=changed(list.sort, items))
    for length in 10, 63, 64, 65, 1000:
        for make in random_int, random_float, random_str, lambda: chance.randrange(10), lambda: (chance.randrange(5), random_str(3)), lambda: chance.choice((1, 1.0, True, 0, False, 2)):
            items = [make() for _ in range(length)]
            ask("sort", items, expect=repr(sorted(items)))
    # Where the items lie is Python's affair and ours; when they move is a promise.
    grown, room = [], []
    for _ in range(2000):
        grown.append(None)
        room.append((sys.getsizeof(grown) - sys.getsizeof([])) // struct.calcsize("P"))
    if os.environ.get("HEAPWRIGHT_COLLECTOR") not in ("tracing", "tiny"):  # where nothing grows in place, by more at a time
        ask("growth", "text", plain(len(room)), expect=" ".join(map(str, room)))


def without(mapping, key):
    mapping = dict(mapping)
    del mapping[key]
    return mapping


def with_item(mapping, key, value):
    mapping = dict(mapping)
    mapping[key] = value
    return mapping


def remove_from(members, key):
    members = set(members)
    members.remove(key)
    return members


def mappings():
    for _ in range(4000 * LONG):
        pool = chance.choice((KEYS, KEYS[:12], STRS, [0, 0.0, False, 1, 1.0, True, 2, 2**64, 2.0**64, "1"], [[], {}, bytearray(), (1, [])] + STRS))
        keys = [x for x in pool if not isinstance(x, (list, dict, bytearray)) and x != (1, [])]
        mapping = {chance.choice(keys): chance.randrange(5) for _ in range(chance.choice((0, 1, 4, 8, 9, 30, 100)))}
        key = chance.choice(pool)
        ask("repr", mapping, expect=repr(mapping))
        ask("dictget", mapping, key, expect=attempt(lambda: mapping[key]))
        ask("dictset", mapping, key, "new", expect=attempt(with_item, mapping, key, "new"))
        ask("dictremove", mapping, key, expect=attempt(without, mapping, key))
        ask("contains", set(mapping), key, expect=attempt(lambda: int(key in set(mapping))))
        one = {chance.choice(keys)}
        ask("setadd", one, *one, expect=repr(one))
        ask("setremove", one, key, expect=attempt(remove_from, one, key))
    ask("eq", {1: 2, "a": 3}, {"a": 3, 1.0: 2.0}, expect="1")


def arrays():
    families = [list(range(-3, 4)) + [True], [127, 128, 255, 256, -128, -129], [2**15, 2**16 - 1, -2**15], [2**31, 2**32 - 1, 2**63, 2**64 - 1, -2**63, 2**64],
                [0.5, -0.0, 1e300, math.inf, 7], [1, "a"], [1, 2.0, None]]
    made = []
    for _ in range(3000 * LONG):
        items = [chance.choice(chance.choice(families[:-2])) if chance.randrange(3) else 1 for _ in range(chance.choice((0, 1, 2, 5, 30)))]
        items = items if chance.randrange(4) else [chance.choice(chance.choice(families)) for _ in items]
        code, i, j = chance.choice("bBhHiIlLqQfd"), chance.randrange(8), chance.randrange(8)
        ask("array", items, Plain(code), expect=attempt(array, code, items))
        try:
            values = array(code, items)
        except (OverflowError, TypeError):
            continue
        made.append(values)
        other = chance.choice(made)
        ask("arrayslice", values, plain(i), plain(j), expect=repr(values[i:j]))
        ask("list", values, expect=repr(list(values)))
        for b in other, array(chance.choice("qd"), values if code == "q" else []), list(values):
            ask("eq", values, b, expect=str(int(values == b)))
            ask("order", values, b, expect=attempt(order, values, b))
    ask("array", [], Plain("x"), expect=attempt(array, "x", []))


def iterables():
    ends = [0, 1, -1, 2, 3, 7, -10, 50]
    ranges = [range(a, b, c) for a in ends for b in ends for c in ends if c] + [range(2**63 - 2, 2**63 - 1), range(-2**63, 2**63 - 1, 2**62), range(2**63 - 1, -2**63, -2**63)]
    for a in ranges:
        b = chance.choice(ranges)
        ask("repr", a)
        ask("list", a, expect=repr(list(a)))
        ask("len", a, expect=str(len(a)))
        ask("truth", a, expect=str(int(bool(a))))
        relate(a, b)
        relate(a, range(a.start, a.start + len(a) * a.step if abs(a.step) < 100 else a.stop, a.step))
    for _ in range(2000 * LONG):
        values = [nested(2) for _ in range(chance.choice((0, 1, 2, 3, 9, 10)))]
        for value in values:
            ask("list", value, expect=attempt(list, value))
        ask("zip", values, expect=attempt(lambda: list(zip(*values))))


def characters():
    """Every character but the surrogates, in strs of 64."""
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for start in range(0, len(every), 64):
        text = "".join(every[start:start + 64])
        ask("repr", text)
        ask("len", text, expect=str(len(text)))


def explained(question, answer):
    """How many characters of a str are written in another way because the two know different versions of Unicode; 0 if that is not all."""
    if unicodedata.unidata_version == UNICODE or not question.startswith("repr s"):
        return 0
    newer = tuple(map(int, unicodedata.unidata_version.split("."))) > tuple(map(int, UNICODE.split(".")))
    text = bytes.fromhex(question[6:]).decode()
    different = {c for c in text if c.isprintable() != (c in answer)}
    if any(c.isprintable() != newer for c in different):
        return 0
    quote = answer[0]
    expected = "".join(repr(c)[1:-1] if c not in different else escape(c) if newer else c for c in text if c not in "'\"")
    return len(different) if expected == answer[1:-1].replace("\\" + quote, "").replace("'", "").replace('"', "") else 0


def escape(char):
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def main(program):
    if sys.version_info < (3, 9):
        print("skipped: it takes Python 3.9 or later")
        return 77
    for part in reprs, relations, arithmetic, reading, texts, lists, mappings, arrays, iterables, characters:
        part()
    asked = subprocess.run([program], input="".join(question + "\n" for question, _ in CASES), stdout=subprocess.PIPE, encoding="utf-8")
    answers = asked.stdout.split("\n")[:-1]
    left_out = failures = 0
    for (question, expected), answer in zip(CASES, answers):
        if answer == expected:
            continue
        unknown = explained(question, answer)
        left_out += unknown
        if unknown:
            continue
        failures += 1
        if failures <= 30:
            print(f"{question[:300]}\n    Python: {expected[:300]}\n    kinds:  {answer[:300]}")
    if left_out:
        print(f"{left_out} characters left out: Unicode {unicodedata.unidata_version} here, {UNICODE} there")
    print(f"Python {sys.version.split()[0]}: {len(CASES)} cases, {failures} differences")
    if asked.returncode or len(answers) != len(CASES):
        sys.exit(f"{program} ended with status {asked.returncode} after {len(answers)} answers")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
