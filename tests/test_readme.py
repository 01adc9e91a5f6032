"""The README's example runs as it stands."""

import re
from pathlib import Path

import pytest


@pytest.mark.model
def test_the_python_example_runs(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (checkout / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    code = (
        blocks[0].replace('"my-index"', repr(str(tmp_path / "index"))).replace('"seeds"', repr(str(checkout / "seeds")))
    )
    exec(compile(code, "README.md", "exec"), {})
    assert "EUR 500 million" in capsys.readouterr().out
