"""Puts the built pages into the package, where there are any: an installed server finds them beside itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PAGES = Path(__file__).parent / "web" / "dist"


class WithPages(build_py):
    """`build_py`, and ``web/dist`` as ``poc_server/pages``."""

    def run(self) -> None:
        """Build."""
        super().run()
        if PAGES.is_dir() and not self.editable_mode:
            shutil.copytree(PAGES, Path(self.build_lib, "poc_server", "pages"), dirs_exist_ok=True)


setup(cmdclass={"build_py": WithPages})
