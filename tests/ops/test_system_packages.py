"""What `tools/system_packages.sh` asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERPRETER = """#!/bin/sh
exec {python} -c 'import sys, sysconfig
sys.base_prefix = "{prefix}"
sysconfig.get_path = lambda name: "{include}"
exec(sys.argv[1])' "$2"
"""


def asked_for(folder: Path, prefix: str, include: Path, mode: str) -> str:
    """What a person without the right to install is told, whose interpreter lives under ``prefix``."""
    include.mkdir(exist_ok=True)
    programs = {
        "python": INTERPRETER.format(python=sys.executable, prefix=prefix, include=include),
        "id": "#!/bin/sh\necho 1000\n",
        "sudo": "#!/bin/sh\nexit 1\n",
        "apt-get": "#!/bin/sh\nexit 1\n",
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHON": str(folder / "python")}
    script = ROOT / "tools" / "system_packages.sh"
    return subprocess.run(
        ["bash", str(script), mode], env=environment, capture_output=True, text=True, timeout=60, check=False
    ).stderr


@pytest.mark.parametrize("mode", ["test", "bench"])
def test_the_headers_of_debian_s_own_python_are_asked_for_where_the_kernel_is_built(tmp_path: Path, mode: str) -> None:
    include = tmp_path / "include"
    assert "python3-dev" in asked_for(tmp_path, "/usr", include, mode)
    assert "python3-dev" not in asked_for(tmp_path, "/usr/local", include, mode), "apt has none for it"
    (include / "Python.h").touch()
    assert "python3-dev" not in asked_for(tmp_path, "/usr", include, mode)
