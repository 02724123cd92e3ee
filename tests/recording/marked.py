"""A folder of recordings as one that has been in use."""

from __future__ import annotations

from pathlib import Path

from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import FOLDER_MARK


def marked(path: Path) -> RecordingsFolder:
    path.mkdir()
    folder = RecordingsFolder(path)
    folder.mark = "rf-1"
    (path / FOLDER_MARK).write_text(folder.mark)
    return folder
