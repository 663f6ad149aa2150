# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH credentials: what is asked for how often, what an address means, and what may be read by whom."""

from __future__ import annotations

import errno
import json
import os
import stat
import typing as t

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._cycle import ssh
from ansible_collections.quayside.paas.plugins.module_utils._cycle.ssh import parse_address
from ansible_collections.quayside.paas.plugins.module_utils._errors import InvalidResponseError
from ansible_collections.quayside.paas.plugins.module_utils._module.runner import execute
from unit.fakes import HUB, KEY, URL, Call, Platform, Reply, cycle, cycle_error, resources
from unit.hosts import declared, run, validate

IDS = {"container_id": "c1", "instance_id": "i1"}
PATH = "containers/c1/instances/i1"
SECRET = "I5qQGoaU9s63RFnm5KQE52JIm"
ADDRESS = "i1@console.example.com:2222"
EXPIRES = "2019-06-19T04:01:11.608559827Z"
TOKEN = {"id": "t1", "instance_id": "i1", "events": {"expires": EXPIRES}, "valid": True}
MINTED = resources({"token": TOKEN, "secret": SECRET, "address": ADDRESS})
INSTANCE = cycle("GET", PATH, resources({"id": "i1", "state": {"current": "running"}}))
CONTAINER = cycle("GET", "containers/c1", resources({"id": "c1"}))
NO_INSTANCE = cycle("GET", PATH, cycle_error(404, "instance"))
NO_CONTAINER = cycle("GET", "containers/c1", cycle_error(404, "container"))
KEYS = {"host", "port", "user", "secret", "expires", "address", "token_id", "connection", "expired", "file"}
COMMON = {"changed", "rate_limit", "request_count"}
CONNECTION = {"ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_password"}


def mint(answer: Reply | BaseException = MINTED) -> Call:
    return cycle("GET", f"{PATH}/ssh", answer)


def expire(answer: Reply | BaseException) -> Call:
    return cycle("DELETE", f"{PATH}/ssh", answer)


def tokens(number: int) -> Reply:
    return resources({"tokens": number})


def done(**arguments: t.Any) -> dict[str, t.Any]:
    """The result of a task that has to succeed, with the keys that every one has."""
    result = run("instance_ssh", **IDS, **arguments)
    assert not result.get("failed"), result
    assert set(result) == KEYS | COMMON
    assert set(result["connection"]) == CONNECTION
    return result


def failed(**arguments: t.Any) -> dict[str, t.Any]:
    result = run("instance_ssh", **IDS, **arguments)
    assert result["failed"] is True
    assert SECRET not in repr(result)
    return result


# Addresses


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("5cc78aa0@console.dev.cycle.io:22", ("5cc78aa0", "console.dev.cycle.io", 22)),
        ("5cc78aa0@console.cycle.io", ("5cc78aa0", "console.cycle.io", 22)),
        ("console.cycle.io:2222", ("i1", "console.cycle.io", 2222)),
        ("console.cycle.io", ("i1", "console.cycle.io", 22)),
        ("@console.cycle.io", ("i1", "console.cycle.io", 22)),
        ("a@[fd00::1]:2222", ("a", "fd00::1", 2222)),
        ("a@[fd00::1]", ("a", "fd00::1", 22)),
        ("a@fd00::1", ("a", "fd00::1", 22)),
        ("[fe80::1%eth0]:22", ("i1", "fe80::1%eth0", 22)),
        ("ssh://a@console.cycle.io:22", ("a", "console.cycle.io", 22)),
        ("SSH://a@console.cycle.io:22/", ("a", "console.cycle.io", 22)),
        ("  a@10.0.0.1:22\n", ("a", "10.0.0.1", 22)),
        ("a:word@console.cycle.io", ("a", "console.cycle.io", 22)),
    ],
)
def test_addresses_that_are_understood(address: str, expected: tuple[str, str, int]) -> None:
    assert parse_address(address, "i1") == expected


@pytest.mark.parametrize(
    "address",
    ["", "a@", "a@:22", "a@[]:22", "a@host:0", "a@host:65536", "a@host:ssh", "a@-oProxyCommand=x", "-x@host", "a@h ost",
     "a b@host", "a@host;id", "a@[::1", "$(id)@host"],
)  # fmt: skip
def test_addresses_that_are_not(address: str) -> None:
    with pytest.raises(InvalidResponseError, match="USER@HOST:PORT"):
        parse_address(address, "i1")


@given(
    st.from_regex(r"[a-z0-9]{1,24}", fullmatch=True),
    st.one_of(
        st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,8}){0,3}", fullmatch=True),
        st.ip_addresses(v=4).map(str),
        st.ip_addresses(v=6).map(str),
    ),
    st.integers(1, 65535),
    st.booleans(),
)
def test_an_address_as_documented_gives_its_parts(user: str, host: str, port: int, prefix: bool) -> None:
    place = f"[{host}]" if ":" in host else host
    assert parse_address(f"{'ssh://' if prefix else ''}{user}@{place}:{port}", "i1") == (user, host, port)


@given(st.text(max_size=60))
def test_no_address_gives_what_a_client_takes_for_an_option(address: str) -> None:
    try:
        user, host, port = parse_address(address, "i1")
    except InvalidResponseError:
        return
    assert user
    assert host
    assert not {user[0], host[0]} & {"-"}
    assert not set(user + host) & set(" \t\n'\"\\$`;&|<>()@/")
    assert 0 < port < 65536


# Making


def test_credentials_are_made(platform: Platform) -> None:
    platform.expects(mint())
    result = done()
    assert {name: result[name] for name in KEYS - {"connection"}} == {
        "host": "console.example.com",
        "port": 2222,
        "user": "i1",
        "secret": SECRET,
        "expires": EXPIRES,
        "address": ADDRESS,
        "token_id": "t1",
        "expired": 0,
        "file": None,
    }
    assert result["connection"] == {
        "ansible_connection": "ssh",
        "ansible_host": "console.example.com",
        "ansible_port": 2222,
        "ansible_user": "i1",
        "ansible_password": SECRET,
    }
    assert result["changed"] is True
    assert result["request_count"] == 1


def test_check_mode_reads_only_and_knows_nothing(platform: Platform) -> None:
    platform.expects(INSTANCE)
    result = done(check_mode=True)
    assert result["changed"] is True
    assert {result[name] for name in KEYS - {"connection", "expired"}} == {None}
    assert set(result["connection"].values()) == {None}


def test_check_mode_notices_an_instance_that_is_not_there(platform: Platform) -> None:
    platform.expects(NO_INSTANCE, CONTAINER)
    result = failed(check_mode=True)
    assert 'The instance "i1" was not found' in result["msg"]


def test_the_diff_has_no_secret(platform: Platform) -> None:
    module = declared("instance_ssh")
    access = {"api_key": KEY, "hub_id": HUB, "api_url": URL}
    platform.expects(mint())
    result = execute(module, validate(module, **access, **IDS).validated_parameters, check_mode=False, diff=True)
    assert SECRET not in repr(result["diff"])
    assert result["diff"]["before"] != result["diff"]["after"]


@pytest.mark.parametrize(
    "fault",
    [requests.exceptions.ReadTimeout("slow"), requests.exceptions.ConnectionError("reset"), Reply(200, b"{"),
     Reply(502, b""), Reply(503, b"{}"), cycle_error(500, "unknown")],
    ids=["time-out", "reset", "no JSON", "502", "503", "500"],
)  # fmt: skip
def test_an_answer_that_does_not_come_is_not_asked_for_again(platform: Platform, fault: t.Any) -> None:
    # A platform that says that it cannot do it now may mean the instance: its state is read.
    status_is_not_now = isinstance(fault, Reply) and fault.status == 503
    platform.expects(mint(fault), *([INSTANCE] if status_is_not_now else []))
    result = failed(retry_budget=600)
    assert "credentials that nobody has the secret of may exist now" in result["msg"]
    assert "state=absent" in result["msg"]
    assert result["changed"] is True


def test_a_connection_that_was_never_made_is_tried_again(platform: Platform) -> None:
    platform.expects(mint(requests.exceptions.ConnectTimeout("no")), mint())
    result = done(retry_budget=600)
    assert result["request_count"] == 2


def test_a_refusal_because_of_the_rate_limit_is_tried_again(platform: Platform) -> None:
    platform.expects(mint(cycle_error(429, "rate-limiting")), mint())
    assert done(retry_budget=600)["secret"] == SECRET


@pytest.mark.parametrize(
    ("status", "code"), [(403, "invalid-state"), (409, "x"), (422, "invalid-input"), (503, "not-ready")]
)
def test_an_instance_that_does_not_run_is_told(platform: Platform, status: int, code: str) -> None:
    stopped = cycle("GET", PATH, resources({"id": "i1", "state": {"current": "stopped"}}))
    platform.expects(mint(cycle_error(status, code, "Not now")), stopped)
    result = failed()
    assert "Not now" in result["msg"]
    assert "The instance is stopped: it has to run for that." in result["msg"]
    assert result["error"]["status"] == status


def test_a_key_that_may_not_is_told_what_it_lacks(platform: Platform) -> None:
    refusal = cycle_error(403, "permissions", "Missing capability", extra={"capability": "containers-ssh"})
    platform.expects(mint(refusal), INSTANCE)
    result = failed()
    assert "lacks the capability containers-ssh" in result["msg"]
    assert "has to run" not in result["msg"]
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("calls", "said"),
    [([NO_INSTANCE, CONTAINER], 'The instance "i1"'), ([NO_INSTANCE, NO_CONTAINER], 'The container "c1"')],
)
def test_what_is_missing_is_named(platform: Platform, calls: list[Call], said: str) -> None:
    platform.expects(mint(cycle_error(404, "instance")), *calls)
    assert said in failed()["msg"]


@pytest.mark.parametrize(
    "answer",
    [{}, {"token": TOKEN, "address": ADDRESS}, {"token": TOKEN, "secret": SECRET}, {"secret": 5, "address": ADDRESS},
     {"token": TOKEN, "secret": SECRET, "address": "a@host:port"}],
)  # fmt: skip
def test_an_answer_that_is_not_understood_says_that_credentials_exist(platform: Platform, answer: t.Any) -> None:
    platform.expects(mint(resources(answer)))
    result = failed()
    assert "may exist now" in result["msg"]
    assert result["changed"] is True


@pytest.mark.parametrize("token", [None, {}, {"events": None}, "odd"])
def test_an_answer_without_facts_about_the_token_is_good_enough(platform: Platform, token: t.Any) -> None:
    platform.expects(mint(resources({"token": token, "secret": SECRET, "address": ADDRESS})))
    result = done()
    assert (result["expires"], result["token_id"], result["secret"]) == (None, None, SECRET)


def test_credentials_do_not_show_their_secret() -> None:
    found = ssh.credentials_of({"secret": SECRET, "address": ADDRESS}, "i1")
    assert SECRET not in repr(found)


# Into a file


def test_a_file_has_all_and_the_result_no_secret(platform: Platform, tmp_path: t.Any) -> None:
    platform.expects(mint())
    dest = tmp_path / "web-1.json"
    result = done(dest=str(dest))
    assert SECRET not in repr(result)
    assert (result["file"], result["host"], result["secret"]) == (str(dest), "console.example.com", None)
    assert result["connection"]["ansible_password"] is None
    written = json.loads(dest.read_text(encoding="utf-8"))
    assert set(written) == {*IDS, *KEYS - {"expired", "file"}}
    assert written["secret"] == written["connection"]["ansible_password"] == SECRET
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["web-1.json"]


@pytest.mark.parametrize("mask", [0, 0o777])
def test_the_file_is_never_open_to_others(platform: Platform, tmp_path: t.Any, mask: int) -> None:
    """What is in the folder while credentials are made, and what modes it has."""
    modes: list[int] = []

    def looking(_request: t.Any) -> Reply:
        modes.extend(stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path))
        return MINTED

    dest = tmp_path / "web-1.json"
    platform.expects(mint(t.cast("t.Any", looking)))
    before = os.umask(mask)
    try:
        done(dest=str(dest))
    finally:
        os.umask(before)
    assert modes
    assert not any(mode & 0o077 for mode in modes)
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600


def test_a_file_that_all_may_read_is_replaced(platform: Platform, tmp_path: t.Any) -> None:
    dest = tmp_path / "web-1.json"
    dest.write_text("old", encoding="utf-8")
    dest.chmod(0o644)
    with dest.open(encoding="utf-8") as reader:  # who has it open sees nothing of the new one
        platform.expects(mint())
        done(dest=str(dest))
        assert reader.read() == "old"
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert SECRET in dest.read_text(encoding="utf-8")


def test_a_link_is_replaced_and_not_followed(platform: Platform, tmp_path: t.Any) -> None:
    target, dest = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    dest.symlink_to(target)
    platform.expects(mint())
    done(dest=str(dest))
    assert target.read_text(encoding="utf-8") == "old"
    assert not dest.is_symlink()


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("name", ["missing/web-1.json", "folder", "file/web-1.json"])
def test_a_place_that_cannot_be_is_refused_before_anything_is_sent(
    platform: Platform, tmp_path: t.Any, name: str, check_mode: bool
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    result = failed(dest=str(tmp_path / name), check_mode=check_mode)
    assert "dest" in result["msg"]
    assert result["request_count"] == 0


def test_a_folder_that_takes_no_file_is_noticed_before_anything_is_sent(
    platform: Platform, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: t.Any, **_keywords: t.Any) -> t.NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(ssh.tempfile, "mkstemp", full)
    result = failed(dest=str(tmp_path / "x"))
    assert "Read-only file system" in result["msg"]
    assert result["request_count"] == 0


def test_a_folder_without_permission_is_noticed(
    platform: Platform, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh.os, "access", lambda _path, _mode: False)
    assert "nothing may be written" in failed(dest=str(tmp_path / "x"))["msg"]


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_file_that_cannot_be_written_after_all(
    platform: Platform, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_arguments: t.Any) -> t.NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    dest = tmp_path / "web-1.json"
    dest.write_text("old", encoding="utf-8")
    monkeypatch.setattr(ssh.os, step, full)
    platform.expects(mint())  # and no DELETE, which would end the credentials of others too
    result = failed(dest=str(dest))
    assert "No space left on device" in result["msg"]
    assert f"end by themselves at {EXPIRES}" in result["msg"]
    assert result["changed"] is True
    assert os.listdir(tmp_path) == ["web-1.json"]
    assert dest.read_text(encoding="utf-8") == "old"


def test_nothing_is_left_when_no_credentials_are_made(platform: Platform, tmp_path: t.Any) -> None:
    platform.expects(mint(cycle_error(403, "permissions")), INSTANCE)
    failed(dest=str(tmp_path / "x"))
    assert os.listdir(tmp_path) == []


# Expiring


@pytest.mark.parametrize("number", [0, 1, 7])
def test_expiring_says_how_many(platform: Platform, number: int) -> None:
    platform.expects(expire(tokens(number)))
    result = done(state="absent")
    assert (result["expired"], result["changed"]) == (number, number > 0)
    assert {result[name] for name in KEYS - {"connection", "expired"}} == {None}


def test_a_count_after_a_repetition_is_not_the_whole_truth(platform: Platform) -> None:
    platform.expects(expire(requests.exceptions.ReadTimeout("slow")), expire(tokens(0)))
    result = done(state="absent", retry_budget=600)
    assert (result["expired"], result["changed"]) == (0, True)


def test_an_instance_that_is_gone_has_no_credentials(platform: Platform) -> None:
    platform.expects(expire(cycle_error(404, "instance")), NO_INSTANCE, CONTAINER)
    result = done(state="absent")
    assert (result["expired"], result["changed"]) == (0, False)


def test_a_container_that_is_not_there_is_an_error(platform: Platform) -> None:
    platform.expects(expire(cycle_error(404, "container")), NO_INSTANCE, NO_CONTAINER)
    assert 'The container "c1" was not found' in failed(state="absent")["msg"]


@pytest.mark.parametrize("answer", [{}, {"tokens": None}, {"tokens": "2"}])
def test_an_answer_without_a_number_is_an_error(platform: Platform, answer: t.Any) -> None:
    platform.expects(expire(resources(answer)))
    assert "does not say how many" in failed(state="absent")["msg"]


def test_check_mode_of_expiring(platform: Platform) -> None:
    platform.expects(INSTANCE)
    result = done(state="absent", check_mode=True)
    assert (result["expired"], result["changed"]) == (None, True)
    platform.expects(NO_INSTANCE, CONTAINER)
    result = done(state="absent", check_mode=True)
    assert (result["expired"], result["changed"]) == (0, False)


@pytest.mark.parametrize(("there", "number"), [(True, 1), (True, 0), (False, 1), (False, 0)])
def test_expiring_removes_the_file(platform: Platform, tmp_path: t.Any, there: bool, number: int) -> None:
    dest = tmp_path / "web-1.json"
    if there:
        dest.touch()
    platform.expects(expire(tokens(number)))
    result = done(state="absent", dest=str(dest))
    assert not dest.exists()
    assert result["changed"] is (there or number > 0)
    assert result["file"] == str(dest)


def test_check_mode_leaves_the_file(platform: Platform, tmp_path: t.Any) -> None:
    dest = tmp_path / "web-1.json"
    dest.touch()
    platform.expects(NO_INSTANCE, CONTAINER)
    assert done(state="absent", dest=str(dest), check_mode=True)["changed"] is True
    assert dest.exists()


def test_the_file_stays_when_nothing_could_be_expired(platform: Platform, tmp_path: t.Any) -> None:
    dest = tmp_path / "web-1.json"
    dest.touch()
    platform.expects(expire(cycle_error(403, "permissions")), INSTANCE)
    failed(state="absent", dest=str(dest))
    assert dest.exists()


def test_a_file_that_cannot_be_removed(platform: Platform, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: str) -> t.NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(ssh.os, "unlink", refused)
    platform.expects(expire(tokens(1)))
    result = failed(state="absent", dest=str(tmp_path / "x"))
    assert "The credentials have ended" in result["msg"]
    assert result["changed"] is True


# What is displayed


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, True), ({"state": "present"}, True), ({"dest": ""}, True), ({"dest": "/x"}, False),
     ({"state": "absent"}, False), ({"state": "absent", "dest": "/x"}, False)],
)  # fmt: skip
def test_only_a_result_with_the_secret_is_kept_from_display(arguments: t.Any, expected: bool) -> None:
    assert declared("instance_ssh").is_secret({**IDS, **arguments}) is expected
