# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of roles: tables, and results of commands."""

from __future__ import annotations

import inspect
import json
import typing as t

import jinja2
import pytest
import yaml

from ansible_collections.quayside.paas.plugins.filter.shell_task import DOCUMENTATION, shell_task
from ansible_collections.quayside.paas.plugins.filter.text_table import text_table
from ansible_collections.quayside.paas.plugins.plugin_utils._shell_task import record_of, result_of

# text_table


def test_a_table_aligns_text_left_and_numbers_right() -> None:
    assert text_table([["a", 1], ["long name", 20], [None, 3.5]], heads=["NAME", ">NUMBER"]) == [
        "NAME       NUMBER",
        "a               1",
        "long name      20",
        "              3.5",
    ]


def test_a_table_without_rows_has_titles() -> None:
    assert text_table([], heads=["NAME", "STATE"]) == ["NAME  STATE"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\n\tline ", "a line"),
        ("\x1b[3mr\x07", "?[3mr?"),
        ("r\u202el\u200b", "rl"),
        ("12345678", "12345678"),
        ("123456789", "1234567…"),
        ("日本語の名前", "日本語…"),
        ("e\u0301" * 8, "e\u0301" * 8),
        (["a"], "['a']"),
        (None, ""),
        (jinja2.StrictUndefined(name="x"), ""),
    ],
)
def test_cells_are_made_harmless_and_cut(value: t.Any, shown: str) -> None:
    assert text_table([[value]], heads=["X"], most=8)[1] == shown


def test_wide_characters_take_two_columns() -> None:
    assert text_table([["日本", "x"], ["abcd", "y"]], heads=["A", "B"])[1:] == ["日本  x", "abcd  y"]


# shell_task in one host


def test_shell_task_documents_its_options() -> None:
    steps = [inspect.signature(step).parameters for step in (record_of, result_of)]
    taken = {name: one.default for step in steps for name, one in [*step.items()][1:]}
    options = yaml.safe_load(DOCUMENTATION)["options"]
    assert {name for name in options if name != "_input"} == set(taken)
    for name, default in taken.items():
        if name != "hosts":
            assert options[name].get("default") == (list(default) if isinstance(default, tuple) else default), name


def ended(rc: int = 0, stdout: str = "", **more: t.Any) -> dict[str, t.Any]:
    """What a command returns."""
    failed = {"failed": True, "msg": "non-zero return code"} if rc else {}
    return {"rc": rc, "stdout": stdout, "stderr": "", "delta": "0:00:01.500000", "changed": True, **failed, **more}


def test_a_record_of_several_commands() -> None:
    ran = {
        "changed": True,
        "results": [ended(stdout="one"), ended(stdout="two", stderr="hm", delta="1 day, 0:00:00.5")],
    }
    assert shell_task(ran) == {
        "status": "ok",
        "rc": 0,
        "stdout": "one\ntwo",
        "stderr": "hm",
        "seconds": 86402.0,
        "changed": True,
        "message": "",
    }


@pytest.mark.parametrize(
    ("ran", "status", "rc", "message"),
    [
        (
            {"failed": True, "msg": "One or more", "results": [ended(), ended(3)]},
            "failed",
            3,
            "Command 2: ended with 3",
        ),
        ({"results": [{"unreachable": True, "msg": "gone"}]}, "unreachable", None, "Command 1: gone"),
        ({"failed": True, "msg": "no such variable"}, "failed", None, "no such variable"),
        ({"failed": True, "results": [], "msg": "nothing"}, "failed", None, "nothing"),
        (
            {"failed": True, "rc": 127, "msg": "MODULE FAILURE", "module_stderr": "no python"},
            "failed",
            127,
            "MODULE FAILURE",
        ),
        ({"failed": True}, "failed", None, "failed"),
        ({"results": [{"skipped": True}]}, "skipped", None, ""),
        # What package managers call results are lines of text.
        ({"results": ["Installed: curl"], "rc": 0}, "ok", 0, ""),
        ({"results": ["No such package"], "rc": 1, "failed": True, "msg": "not done"}, "failed", 1, "not done"),
        ({}, "ok", None, ""),
    ],
)
def test_what_became_of_it(ran: dict[str, t.Any], status: str, rc: int | None, message: str) -> None:
    record = shell_task(ran)
    assert (record["status"], record["rc"], record["message"]) == (status, rc, message)
    assert record["stderr"] == ("no python" if rc == 127 else "")


def test_a_task_of_a_file_is_named_and_timed_from_outside() -> None:
    record = shell_task(ended(1), seconds=2.00049, task="Stop it")
    assert record["message"] == "Stop it: ended with 1"
    assert record["seconds"] == 2.0


@pytest.mark.parametrize(
    ("ran", "message"),
    [
        (ended(1, "secret", stderr="secret"), "Stop it: ended with 1"),
        ({"failed": True, "msg": "secret"}, "Stop it: failed, and its no_log hides why"),
        ({"failed": True, "msg": "All", "results": [{"failed": True, "msg": "secret", "stdout": "secret"}]},
         "Stop it: failed, and its no_log hides why"),
    ],
)  # fmt: skip
def test_of_a_task_with_no_log_nothing_is_told_but_that_it_failed(ran: dict[str, t.Any], message: str) -> None:
    record = shell_task(ran, task="Stop it", hidden=True)
    assert (record["status"], record["message"]) == ("failed", message)
    assert "secret" not in repr(record)


@pytest.mark.parametrize("secret", ["word-1\n", "\nword-1\r\n", "word-1 "])
def test_a_secret_is_masked_without_the_blank_space_around_it(secret: str) -> None:
    assert shell_task(ended(stdout=f"[{secret}]\n{secret}".rstrip()), secrets=[secret])["stdout"] in (
        "[********]\n********",
        "[********]\n\n********",
    )
    assert "word-1" not in repr(shell_task(ended(stdout="a word-1"), secrets=[secret]))


def test_a_secret_is_masked_in_what_ansible_could_not_read() -> None:
    secret = 'a "word"\n\u00fc'
    ran = {"failed": True, "msg": "MODULE FAILURE", "module_stdout": json.dumps({"stdout": f"[{secret}]"})}
    assert shell_task(ran, secrets=[secret])["stdout"] == '{"stdout": "[********]"}'


def test_secrets_are_masked_the_longest_first() -> None:
    ran = ended(2, "pass word-1 word word-12 ab", stderr="word-12", msg="word-12 refused")
    record = shell_task(ran, secrets=["word", "word-12", "ab", ""])
    assert record["stdout"] == "pass ********-1 ******** ******** ab"
    assert record["stderr"] == "********"
    assert record["message"] == "******** refused"


# shell_task of all hosts


def record(status: str = "ok", **more: t.Any) -> dict[str, t.Any]:
    """A record with nothing to tell but its status."""
    return {
        "status": status,
        "rc": 0,
        "stdout": "",
        "stderr": "",
        "seconds": 1.0,
        "changed": False,
        "message": "",
        **more,
    }


def test_a_result_sorts_the_hosts() -> None:
    records = {"a": record(), "b": record("failed"), "c": record("unreachable"), "d": {}}
    result = shell_task(records, hosts=["a", "b", "c", "d", "e"], begun=4)
    assert list(result["hosts"]) == ["a", "b", "c", "d", "e"]
    assert {state: result[state] for state in ("ok", "failed", "unreachable", "skipped")} == {
        "ok": ["a"],
        "failed": ["b"],
        "unreachable": ["c", "d"],
        "skipped": ["e"],
    }
    assert "lost" in result["hosts"]["d"]["message"]
    assert set(result["hosts"]["d"]) == set(result["hosts"]["e"]) == set(record())
    assert not result["passed"]


@pytest.mark.parametrize(
    ("status", "check_mode", "passed"),
    [
        ("ok", False, True),
        ("ok", True, True),
        ("skipped", True, True),
        ("skipped", False, False),
        ("failed", True, False),
    ],
)
def test_when_a_result_has_passed(status: str, check_mode: bool, passed: bool) -> None:
    result = shell_task({"a": record(status)}, hosts=["a"], begun=1, check_mode=check_mode)
    assert (result["passed"], result["check_mode"]) == (passed, check_mode)


def test_no_host_is_no_success() -> None:
    assert shell_task({}, hosts=[]) == {
        "hosts": {},
        "ok": [],
        "failed": [],
        "unreachable": [],
        "skipped": [],
        "passed": False,
        "check_mode": False,
    }


@pytest.mark.parametrize(
    ("hosts", "limits", "kept"),
    [(1, {"output_limit": 10}, 10), (10, {"artifact_limit": 300}, 10), (1, {"output_limit": 0}, 0), (9, {}, 2000)],
)
def test_long_texts_are_cut_visibly(hosts: int, limits: dict[str, int], kept: int) -> None:
    names = [str(number) for number in range(hosts)]
    text = "".join(str(number % 10) for number in range(5001))
    result = shell_task({name: record(stdout=text) for name in names}, hosts=names, begun=hosts, **limits)
    cut = result["hosts"]["0"]["stdout"]
    mark = f"\n[… {5001 - kept} characters cut …]\n"
    assert mark in cut
    assert len(cut) == kept + len(mark)
    assert cut.startswith(text[: kept // 2])
    assert cut.endswith(text[5001 - kept // 2 :])
