"""The sandbox shares no code with what it tests."""

import ast
from pathlib import Path

import sandbox

PRODUCT = {"waybill", "services", "tests", "benchmarks"}


def test_no_module_of_the_sandbox_imports_the_product() -> None:
    files = sorted(Path(sandbox.__file__).parent.rglob("*.py"))
    assert len(files) > 10
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & PRODUCT, path.name
