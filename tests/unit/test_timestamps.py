# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time stamps in every form that the vendors' pages and clients show."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._timestamps import parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021-01-20T11:19:53.175Z", "2021-01-20T11:19:53.175000+00:00"),
        ("2021-01-01 12:01:00.000Z", "2021-01-01T12:01:00+00:00"),
        ("2021-01-20T11:19:56+00:00'", "2021-01-20T11:19:56+00:00"),
        ('"2021-01-20T11:19:56Z', "2021-01-20T11:19:56+00:00"),
        (" 2021-01-20T11:19:56Z\n", "2021-01-20T11:19:56+00:00"),
        ("2021-01-20T11:19:57", "2021-01-20T11:19:57+00:00"),
        ("2021-01-20", "2021-01-20T00:00:00+00:00"),
        ("01.08.2021", "2021-08-01T00:00:00+00:00"),
        ("2019-06-19T03:31:11.608559487Z", "2019-06-19T03:31:11.608559+00:00"),
        ("2019-06-19T03:31:11.6+02:00", "2019-06-19T03:31:11.600000+02:00"),
        (1611241087, "2021-01-21T14:58:07+00:00"),
        (1611241087.5, "2021-01-21T14:58:07.500000+00:00"),
        ("1611241087", "2021-01-21T14:58:07+00:00"),
        (1611305397038, "2021-01-22T08:49:57.038000+00:00"),
        ("1611305397038", "2021-01-22T08:49:57.038000+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("31.13.2021", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (-5, None),
        (10**40, None),
        (float("nan"), None),
        ({}, None),
    ],
)
def test_every_form_is_read(value: t.Any, expected: str | None) -> None:
    found = parse(value)
    assert (found and found.isoformat()) == expected


@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2))
def test_nothing_is_too_odd(value: t.Any) -> None:
    found = parse(value)
    assert found is None or found.tzinfo is not None
