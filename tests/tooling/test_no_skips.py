"""Skipping fails a run, in every form pytest knows."""

import pytest

# Without the plugins that expect to be the only ones of their kind in a process.
ALONE = ("-p", "tests.support.no_skips", *(f"-pno:{name}" for name in ("asyncio", "django", "playwright")))
FORMS = {
    "skip": "import pytest\ndef test_it():\n    pytest.skip('later')\n",
    "mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): ...\n",
    "skipif": "import pytest\n@pytest.mark.skipif(True, reason='later')\ndef test_it(): ...\n",
    "module": "import pytest\npytest.skip('later', allow_module_level=True)\n",
    "importorskip": "import pytest\npytest.importorskip('no_such_module')\n",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='later')\ndef test_it(): assert False\n",
    "unittest": "import unittest\nclass Test(unittest.TestCase):\n    def test_it(self): self.skipTest('later')\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_skipping_fails(form: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FORMS[form])
    result = pytester.runpytest(*ALONE)
    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["*Nothing may be skipped here*later*" if form != "importorskip" else "*no_such_module*"]
    )
    result.stdout.no_fnmatch_line("*skipped in*")


def test_what_passes_still_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): ...\n")
    result = pytester.runpytest(*ALONE)
    result.assert_outcomes(passed=1)
