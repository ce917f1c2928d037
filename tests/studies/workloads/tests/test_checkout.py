"""Run by pytest in the sandbox: the checkout is writable, and its caches land beside the code."""

import sys
from pathlib import Path

sys.dont_write_bytecode = False


def test_the_checkout_is_writable(tmp_path):
    note = Path(__file__).parent / "note.txt"
    note.write_text("written by a test")
    assert note.read_text() == "written by a test"
    note.unlink()
    (tmp_path / "other").mkdir()


def test_code_can_be_replaced_in_its_own_copy():
    readme = Path("README.md")
    text = readme.read_text()
    readme.write_text("changed")
    readme.rename("README.old")
    Path("README.old").write_text(text)
    Path("README.old").rename("README.md")
    assert Path("README.md").read_text() == text


def test_a_module_is_compiled_beside_its_source():
    package = Path("tests/package")
    package.mkdir()
    (package / "__init__.py").write_text("answer = 42\n")
    sys.path.insert(0, "tests")
    import package as compiled

    assert compiled.answer == 42
    assert list(package.glob("__pycache__/*.pyc"))
