"""`heapwright doctor`."""
import json
import os
import unittest

from support import Folder, environment, heapwright, interpreters, run


class Doctor(Folder, unittest.TestCase):
    def test_what_is_here(self):
        result = heapwright("doctor")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^heapwright \d+\.\d+\.\d+, libraries in /")
        self.assertRegex(result.stdout, r"\n  yes +3\.\d+\.\d+\S* +(static|shared library) +/\S+  \(python3\)\n")
        self.assertRegex(result.stdout, r"\n  micropython +(/\S+|not found); not supported yet\n")
        self.assertRegex(result.stdout, r"\n\.NET runtimes\n  (none found|(yes|no) +\d+\.\d+\.\d+\S* +/\S+)\n")
        self.assertTrue(result.stdout.endswith("\npython3 runs on heapwright.\n"))

    def test_json(self):
        result = heapwright("doctor", "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        found = json.loads(result.stdout)
        self.assertEqual(set(found), {"heapwright", "preload", "interpreters", "runtimes"})
        self.assertTrue(os.path.exists(found["preload"]))
        self.assertEqual(sum(each["default"] for each in found["interpreters"]), 1)
        paths = [each["executable"] for each in found["interpreters"]]
        self.assertEqual(len(paths), len(set(paths)))
        for each in found["interpreters"]:
            with self.subTest(interpreter=each["executable"]):
                answer = run(each["executable"], "-c", "import sys; print(sys.version.split()[0])").stdout.strip()
                self.assertEqual(each["version"], answer)
                linked = run("ldd", each["executable"]).stdout
                self.assertEqual(each["shared_library"], "libpython" in linked)
                if not each["on_heapwright"]:
                    self.assertTrue(each["reason"])

    def test_variables_do_not_matter(self):
        for variables in {"PYTHONMALLOC": "malloc"}, {"PYTHONDEVMODE": "1"}, {"PYTHONHOME": "/nonexistent"}:
            self.assertEqual(heapwright("doctor", env=environment(**variables)).returncode, 0)

    def test_no_python(self):
        result = heapwright("doctor", env=environment(PATH=self.folder, HOME=self.folder, PYENV_ROOT=None))
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertIn("none found", result.stdout)
        self.assertIn("No python3 was found on PATH", result.stdout)

    def test_a_python3_that_is_none(self):
        self.write("python3", "#!/bin/sh\nexit 1\n", 0o755)
        result = heapwright("doctor", env=environment(PATH=self.folder + ":" + os.environ["PATH"]))
        self.assertEqual(result.returncode, 1)

    def test_found_once(self):
        for name in "python3", "python3.99":
            os.symlink(interpreters()[0][1], os.path.join(self.folder, name))
        found = json.loads(heapwright("doctor", "--json", env=environment(PATH=self.folder, HOME=self.folder, PYENV_ROOT=None)).stdout)
        self.assertEqual(len(found["interpreters"]), 1)

    def test_misuse(self):
        result = heapwright("doctor", "--no-such-option")
        self.assertEqual((result.returncode, result.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
