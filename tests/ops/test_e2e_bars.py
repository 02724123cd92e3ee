"""`make e2e` fails when a bar does not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.e2e_bars import BARS, main


def write(folder: Path, spoilt: str = "") -> None:
    """Figures that all just hold, but for the one that is just as bad as its bar."""
    files: dict[str, Any] = {}
    for title, file, path, way, bar in BARS:
        place = files.setdefault(file, {})
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = bar if title == spoilt else bar - 0.01 if way == "<" else bar + 0.01
    for file, figures in files.items():
        (folder / f"{file}.json").write_text(json.dumps(figures))


def test_it_passes_when_every_figure_holds(tmp_path: Path) -> None:
    write(tmp_path)
    assert main(tmp_path)


@pytest.mark.parametrize("title", [bar[0] for bar in BARS])
def test_it_fails_by_each_figure_that_does_not_hold(
    tmp_path: Path, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, title)
    assert not main(tmp_path)
    assert next(line for line in capsys.readouterr().out.splitlines() if "DOES NOT" in line).startswith(title)


def test_it_fails_by_what_was_not_measured(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "sos.json").unlink()
    assert not main(tmp_path)


@pytest.mark.parametrize("figures", [{}, {"sos_to_first_voice_ms": {}}, {"sos_to_first_voice_ms": None}])
def test_a_figure_that_its_file_lacks_was_not_measured(
    tmp_path: Path, figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    (tmp_path / "sos.json").write_text(json.dumps(figures))
    assert not main(tmp_path)
    unmeasured = [line for line in capsys.readouterr().out.splitlines() if line.endswith("not measured")]
    assert len(unmeasured) == 1
    assert unmeasured[0].startswith("SOS key")
