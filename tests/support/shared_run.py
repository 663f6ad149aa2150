# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that several tests look at. When it fails, the first of them shows why and the others refer to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import pytest

T = TypeVar("T")


class SharedRun(Generic[T]):
    """The result of a function that runs once, when it is first asked for."""

    def __init__(self, run: Callable[[], T]) -> None:
        """Take the function; it may raise."""
        self._run = run
        self._results: list[T] = []
        self._cause = ""

    def result(self) -> T:
        """Return the result. Raise what the function raised the first time, then fail with one line."""
        if self._cause:
            pytest.fail(f"the shared run failed: {self._cause}", pytrace=False)
        if not self._results:
            try:
                self._results.append(self._run())
            except BaseException as error:
                self._cause = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
                raise
        return self._results[0]
