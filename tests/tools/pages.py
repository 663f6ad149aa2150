# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for error boxes in the documentation as HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.report import Case

if TYPE_CHECKING:
    from pathlib import Path

# The theme furo shows a table of contents within a page as an error, by its style sheet.
ERROR_BOX = re.compile(r'class="(?:[^"]* )?(?:contents|problematic|system-message|admonition error)[ "]')
WITHOUT_SCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)


def check_error_boxes(folder: Path) -> Case:
    """Return a test that fails if one of the HTML pages below a folder has an error box, or if there is no page."""
    name = "no page has an error box"
    pages = sorted(folder.rglob("*.html"))
    found = [str(page.relative_to(folder)) for page in pages if has_error_box(page.read_text(encoding="utf-8"))]
    if pages and not found:
        return Case(name, "passed")
    return Case(name, "failed", f"error boxes in: {', '.join(found)}" if found else "there is no page")


def has_error_box(page: str) -> bool:
    """Return whether a browser that runs scripts shows an error box on an HTML page."""
    return ERROR_BOX.search(WITHOUT_SCRIPT.sub("", page)) is not None
