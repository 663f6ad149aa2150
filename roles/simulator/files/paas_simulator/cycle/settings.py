# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be switched: how long things take (in seconds), what goes wrong, where live behaviour is unknown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..changes import Rules, changed
from ..places import TOOLS

JOB_FAILURES = (None, "error", "expired")
OUTCOMES = ("running", "failed", "unhealthy", "unreported", "starting")


@dataclass(frozen=True, slots=True)
class PageSize:
    """Items on a page when the request does not say, and at most."""

    default: int = 20
    maximum: int = 100


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs wait for ``queued``, then run for ``running`` (deleting and migrating have times of their own).

    ``visible_after``: a single job is a 404 until then; ``list_visible_after``: lists do not have it until then;
    ``kept``: from its end until it is a 404 for good. ``fail``: jobs whose action matches ``fail_action`` end in that
    state, the next ``fail_times`` of them or (null) all; a failing create makes ``partial`` instances before.
    ``descriptor``: what a 202 tells: the job, the old job_id, or nothing of the job.
    """

    queued: float = 0.3
    running: float = 1.2
    visible_after: float = 0.0
    list_visible_after: float = 0.0
    kept: float = 3600.0
    fail: str | None = None
    fail_action: str = "*"
    fail_times: int | None = None
    fail_message: str = "The simulator was told to let this job fail"
    partial: int = 0
    descriptor: str = "job"


@dataclass(frozen=True, slots=True)
class Instances:
    """The life of an instance: seconds as new, starting, until health is reported, deleting.

    The first new instance appears ``appear`` seconds after its job has started to run, each other ``apart`` later.
    ``outcomes``: what becomes of new instances, by container id or name (``*``: of every container): running, failed,
    unhealthy, unreported (running, health never reported), starting (for ever). ``unhealthy``: ids of instances that
    are shown as unhealthy. ``replace``: the platform replaces what is deleted from a container that is not manual.
    """

    appear: float = 0.0
    apart: float = 0.0
    new: float = 0.7
    starting: float = 1.0
    healthy: float = 0.3
    deleting: float = 0.7
    deleted_visible: bool = False
    replace: bool = True
    outcomes: dict[str, str] = field(default_factory=dict)
    unhealthy: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Migration:
    """Seconds a migration runs, seconds until the source is purged, and what becomes of the destination."""

    seconds: float = 2.7
    purge: float = 3 * 3600.0
    outcome: str = "running"


@dataclass(frozen=True, slots=True)
class DeleteCollection:
    """What DELETE of the collection does without ids: refuse, nothing, all."""

    empty: str = "refuse"


@dataclass(frozen=True, slots=True)
class Volumes:
    """``container_volume_id``: extending also takes that id; ``capability``: what extending asks for."""

    container_volume_id: bool = False
    capability: str = "containers-instances-migrate"


@dataclass(frozen=True, slots=True)
class Errors:
    """``oauth``: errors of authentication have the shape of OAuth."""

    oauth: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """Seconds in which a token of a stream can be used."""

    lifetime: float = 900.0


@dataclass(frozen=True, slots=True)
class Ssh:
    """What the gateway can do, its delay before an answer, the life of credentials.

    ``close_on_expire``: open sessions end with the last valid credential. ``sessions``: how many a connection takes at
    the same time (0: any number). ``shell``: the interactive one, bash or sh.
    ``tools``: what commands find in their path: all, or nothing but a POSIX sh and python3 (posix).
    """

    exec: bool = True
    sftp: bool = True
    delay: float = 0.0
    close_on_expire: bool = False
    sessions: int = 0
    lifetime: float = 1800.0
    shell: str = "bash"
    tools: str = "all"


@dataclass(frozen=True, slots=True)
class Console:
    """Scheme of the address (ws or http), seconds between lines; ``frames`` are binary, or text where it is some.

    After ``close_after`` messages (0: never) the stream is closed with ``close_code``, which is 0 for a reset.
    """

    scheme: str = "ws"
    interval: float = 1.0
    frames: str = "binary"
    close_after: int = 0
    close_code: int = 0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Scheme of the stream's address, seconds between its messages, seconds between the report's snapshots.

    ``delay``: the report's data is at least that old.
    """

    scheme: str = "ws"
    interval: float = 1.0
    sample: float = 60.0
    delay: float = 0.0
    close_after: int = 0
    close_code: int = 0


@dataclass(frozen=True, slots=True)
class Notifications:
    """Shape of the flags of a notification: list (2022) or map."""

    flags: str = "list"
    close_after: int = 0
    close_code: int = 0


_CHOICES: dict[str, tuple[object, ...]] = {
    "jobs.fail": JOB_FAILURES,
    "jobs.descriptor": ("job", "job_id", "none"),
    "migration.outcome": OUTCOMES,
    "delete_collection.empty": ("refuse", "nothing", "all"),
    "container_servers_shape": ("object", "array", "map"),
    "ssh.shell": ("bash", "sh"),
    "ssh.tools": TOOLS,
    "console.scheme": ("ws", "http"),
    "console.frames": ("binary", "text"),
    "telemetry.scheme": ("ws", "http"),
    "notifications.flags": ("list", "map"),
    "volumes.capability": ("containers-instances-migrate", "containers-volumes-manage"),
}
_RULES = Rules(_CHOICES, {"jobs.fail_times": int})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; ``seed``: the shapes of 2024 (no meta, no newer fields, only the tasks that migrate)."""

    seed: bool = False
    container_servers_shape: str = "object"
    page: PageSize = field(default_factory=PageSize)
    jobs: Jobs = field(default_factory=Jobs)
    instances: Instances = field(default_factory=Instances)
    migration: Migration = field(default_factory=Migration)
    delete_collection: DeleteCollection = field(default_factory=DeleteCollection)
    volumes: Volumes = field(default_factory=Volumes)
    errors: Errors = field(default_factory=Errors)
    tokens: Tokens = field(default_factory=Tokens)
    ssh: Ssh = field(default_factory=Ssh)
    console: Console = field(default_factory=Console)
    telemetry: Telemetry = field(default_factory=Telemetry)
    notifications: Notifications = field(default_factory=Notifications)

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON data."""
        return asdict(self)

    def changed(self, changes: Any) -> Settings:
        """Return the settings with changes such as ``{"page": {"default": 5}}``. Raises ValueError."""
        result: Settings = changed(self, changes, _RULES)
        _check_limits(result)
        return result


def _check_limits(settings: Settings) -> None:
    if settings.page.default < 1 or settings.page.maximum < 1 or settings.telemetry.sample <= 0:
        raise ValueError("page sizes are at least 1, the time between snapshots is longer than 0")
    unknown = sorted(set(settings.instances.outcomes.values()) - set(OUTCOMES))
    if unknown:
        raise ValueError(f"outcomes are {', '.join(OUTCOMES)}, not {', '.join(unknown)}")
