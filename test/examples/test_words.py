#!/usr/bin/env python3
"""examples/c/words against a Python program of a few lines: test_words.py PROGRAM"""

import random
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None


def count(data, most):
    counts = {}
    for line in data.splitlines(keepends=True):
        for word in line.split():
            word = word.decode()
            counts[word] = counts.get(word, 0) + 1
    return "".join(f"{-count} {word}\n" for count, word in sorted((-count, word) for word, count in counts.items())[:most])


def large_text():
    """Some megabytes: frequent words and rare ones, of all widths of characters, and white space of all kinds."""
    chance = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyz", "\u00e4\u00f6\u00fc\u00dfe", "\u4e2d\u6587\u5b57 \u03b1\u03b2\u0436".replace(" ", ""), "\U0001f600\U00010330a"
    words = ["".join(chance.choice(chance.choice(letters)) for _ in range(1 + i % 12)) for i in range(30000)]
    spaces = " ", " ", " ", "\n", "\t", "\r\n", "  \v\f"
    return "".join(words[int(30000 * chance.random() ** 3)] + chance.choice(spaces) for _ in range(400000)).encode()


class Words(unittest.TestCase):
    def assert_same(self, data, most=10):
        done = subprocess.run([PROGRAM, "-", str(most)], input=data, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.decode(), count(data, most))

    def test_texts(self):
        for data in b"", b" \n", b"a", b"a a b", b"\n b  a\tb\r\nc ", "\u00a0x \u3000 \u2028y \u0085".encode(), b"x" * 200000 + b" y " + b"z" * 70000:
            with self.subTest(data=data[:20]):
                self.assert_same(data)

    def test_a_large_text(self):
        data = large_text()
        self.assert_same(data, 10)
        self.assert_same(data, 1000000)

    def test_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"one two two")
            file.flush()
            self.assertEqual(subprocess.run([PROGRAM, file.name], capture_output=True).stdout, b"2 two\n1 one\n")
            self.assertEqual(subprocess.run([PROGRAM, file.name, "1"], capture_output=True).stdout, b"2 two\n")

    def test_what_cannot_be_read(self):
        for words, data, told in ((["/nowhere"], b"", b"cannot be opened"), (["-"], b"ab \xff cd", b"no UTF-8"), (["-"], b"ab \xe4", b"no UTF-8")):
            done = subprocess.run([PROGRAM, *words], input=data, capture_output=True)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(told, done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
