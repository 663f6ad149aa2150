# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking for error boxes in HTML pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.pages import check_error_boxes, has_error_box

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "element",
    [
        '<nav class="contents local" id="contents">',
        '<aside class="topic contents">',
        '<div class="admonition error">',
        '<aside class="system-message">',
        '<span class="problematic" id="id1">',
    ],
)
def test_error_boxes_are_found(element: str) -> None:
    assert has_error_box(f"<body>\n{element}\n</body>")


@pytest.mark.parametrize(
    "text",
    [
        '<div class="admonition note">',
        '<a class="reference" href="#contents">contents</a>',
        '<noscript>\n<div class="admonition error">JavaScript</div>\n</noscript>',
        "<p>system-message</p>",
    ],
)
def test_other_elements_are_let_through(text: str) -> None:
    assert not has_error_box(f"<body>\n{text}\n</body>")


def test_pages_with_an_error_box_are_named(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "good.html").write_text("<p>Good</p>", encoding="utf-8")
    assert check_error_boxes(tmp_path).state == "passed"
    (tmp_path / "below" / "bad.html").write_text('<aside class="system-message">Bad</aside>', encoding="utf-8")
    case = check_error_boxes(tmp_path)
    assert (case.state, case.text) == ("failed", "error boxes in: below/bad.html")


def test_a_build_without_pages_fails(tmp_path: Path) -> None:
    assert check_error_boxes(tmp_path).state == "failed"
