#!/usr/bin/env python3
"""examples/c/json against Python's module json: test_json.py PROGRAM

What is read and written is what Python reads from both; changes are those that Python would make; what is no JSON is refused with its place, whatever it is.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEEPEST = 127

DOCUMENTS = [
    "null", "true", " [false] ", "0", "-0", "17", "-5", "256", "257", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "1" * 4300, "-" + "9" * 1000, "0.1", "-0.0", "1.0", "1e22", "1e23", "5e-324", "1.7976931348623157e308", "123456789.123456789", "1E+2", '""', '"a"',
    '"\\u00e9\\n\\t\\"\\\\\\/\\u0000\\u001f\\u007f"', '"\\ud83d\\ude00 \u4e2d\u6587 \u00e9 \U0001f600"', "[]", "{}", "[[], {}, [[]]]",
    '{"": {"": ""}}', '{"a": 1, "b": 2, "a": 3}', '{"a": {"x": [1]}, "a": {"y": [2]}}', "[1, 2, 3.5, 300, -70000, 5000000000]", "[1.5, 2.5, null]",
    "[" * DEEPEST + "]" * DEEPEST, '{"k": ' * (DEEPEST - 1) + "[]" + "}" * (DEEPEST - 1), '\n{\r\n\t"a" :\n1 , "b":[ ]}\n',
    json.dumps({f"key {i}": i for i in range(1000)}), json.dumps([{"name": str(i), "n": i * 0.5} for i in range(1000)]),
    json.dumps("\u00fc" * 70000), json.dumps(["x" * n for n in range(65500, 65560, 7)]),
]
NO_JSON = [
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[1 2]", "[,]", '{"a"', '{"a":', '{"a":1', '{"a":1,}', "{1: 2}", "{'a': 1}", "tru", "nul", "True", "NaN",
    "Infinity", "-", "+1", "01", "1.", ".5", "1e", "0x10", '"', '"\\', '"\\x"', '"\\u12"', '"\n"', "[1]]", "1 2", "[1] x", "// 1", "[" * 100000,
    "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), '{"a": ' * 100000, "[" + "7" * 4301 + "]", '"\\udc00"',
]
BAD_BYTES = [b'"\xff"', b'"\xc3"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"', b"\xef\xbb\xbf[]", b"\0", b"[1, \0]", b'"a\0b"', b"\xfe\xff\0["]


def run(data, *steps, **environment):
    """Exit status, output, what is on standard error."""
    done = subprocess.run([PROGRAM, "-", *steps], input=data, capture_output=True, timeout=120, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


class Json(unittest.TestCase):
    def assert_same(self, one, other):
        """Equal, in types and order, too."""
        self.assertEqual(repr(one), repr(other))

    def round_trip(self, data):
        for step in "--write", "--indent":
            status, out, told = run(data, step, "-")
            self.assertEqual(status, 0, told)
            self.assert_same(json.loads(out), json.loads(data))

    def assert_refused(self, data):
        status, out, told = run(data, "--write", "-")
        self.assertEqual((status, out), (1, b""), (data[:100], told))
        self.assertRegex(told, r"^json: standard input: line \d+, column \d+: .+\n$")

    def test_documents(self):
        for text in DOCUMENTS:
            with self.subTest(text=text[:60]):
                self.round_trip(text.encode())

    def test_a_document_of_this_machine(self):
        with tempfile.TemporaryDirectory() as folder:
            read, written = os.path.join(folder, "read"), os.path.join(folder, "written")
            subprocess.run([sys.executable, os.path.join(ROOT, "bench", "kinds", "document.py"), read, "1000000"], check=True)
            subprocess.run([PROGRAM, read, "--write", written], check=True, stderr=subprocess.DEVNULL)
            with open(read) as one, open(written) as other:
                self.assert_same(json.load(one), json.load(other))

    def test_no_json(self):
        for data in [text.encode() for text in NO_JSON] + BAD_BYTES:
            with self.subTest(data=data[:60]):
                self.assert_refused(data)

    def test_places(self):
        for text, place in ("[1,\n 2,\n x]", "line 3, column 3"), ("[1, 2]\n]", "line 2, column 2"), ("[" + "1, " * 50000 + "x]", "line 1, column 150003"):
            with self.subTest(text=text[:60]):
                self.assertIn(place, run(text.encode())[2])

    def test_damaged_documents(self):
        """Cut off, or with bytes changed: refused, or read as Python reads it. (Python also takes NaN, and surrogates that are no pair.)"""
        chance = random.Random(1)
        whole = json.dumps([{"name": "\u00e9\U0001f600", "n": [1, -2.5e3, None, True], "\u4e2d": {}}] * 2, ensure_ascii=False).encode()
        for i in range(600):
            data = bytearray(whole[:chance.randrange(len(whole))] if i % 4 == 0 else whole)
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data) or 1):][:1] = b""
                if data:
                    data[chance.randrange(len(data))] = chance.choice(b'"\\[]{},:0123456789eE.-+ntuf\xc3\xa9\xff \n')
            status, out, told = run(bytes(data), "--write", "-")
            with self.subTest(data=bytes(data)):
                if status == 0:
                    self.assert_same(json.loads(out), json.loads(bytes(data).decode()))
                else:
                    self.assertEqual(status, 1, told)

    def test_changes(self):
        records = {"all": [{"name": f"n{i}", "tags": ["a", "b", "c"], "inner": {"x": i, "y": -i}} for i in range(20)], "count": 20}
        steps = ["--set", "all/3/name", '"three"', "--set", "all/*/inner/z", '{"deep": [1, 2]}', "--remove", "all/*/tags/1", "--remove", "all/5",
                 "--remove", "all/2/inner/*", "--remove", "all/4/tags/*", "--set", "count", "19", "--set", "all/*/missing/x", "1", "--remove", "nothing/at/all",
                 "--set", "all/99", "1", "--set", "all/1/tags/*", "null", "--set", "all/x", "1", "--write", "-"]
        status, out, told = run(json.dumps(records).encode(), *steps)
        items = records["all"]
        items[3]["name"] = "three"
        for record in items:
            record["inner"]["z"] = {"deep": [1, 2]}
            del record["tags"][1]
        del items[5]
        items[2]["inner"].clear()
        items[4]["tags"].clear()
        records["count"] = 19
        items[1]["tags"] = [None, None]
        self.assertEqual(status, 0, told)
        self.assert_same(json.loads(out), records)
        self.assertIn("all/*/tags/1: removed in 20 places\n", told)
        self.assertIn("nothing/at/all: removed in 0 places\n", told)

    def test_errors_of_steps(self):
        for steps, words in ((["--what"], "there is no such step"), (["--set", "a"], "something is missing"), (["--set", "a", "{"], "the value: line 1"),
                             (["--write", "/nowhere/at/all"], "cannot be opened")):
            status, _, told = run(b"{}", *steps)
            self.assertEqual(status, 1)
            self.assertIn(words, told)
        self.assertIn("JSON has no inf", run(b"[1e999]", "--write", "-")[2])
        deep = "[" * DEEPEST + "1" + "]" * DEEPEST
        self.assertIn("nested more than 127 deep", run(deep.encode(), "--set", "/".join(["0"] * DEEPEST), "[]", "--write", "-")[2])

    def test_no_memory(self):
        data = json.dumps([{"name": str(i), "values": [str(i), None]} for i in range(50000)]).encode()
        status, _, told = run(data, HEAP_LIMIT="4")
        self.assertEqual(status, 1)
        self.assertIn("no memory", told)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
