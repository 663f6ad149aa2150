# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: serve, start, stop, tokens."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from . import __version__
from .estate import EstateError, load_estate
from .process import ProcessError, start, stop


def serve(options: argparse.Namespace) -> int:
    """Serve in the foreground. Raises EstateError, OSError."""
    from . import service  # needs the libraries that only this command needs, and half a second

    return service.serve(options)


def tokens(options: argparse.Namespace) -> int:
    """Print the tokens of an estate by name, its teams, and Cycle's hub and keys. Raises EstateError."""
    estate = load_estate(options.estate)
    northflank, cycle = estate.get("northflank", {}), estate.get("cycle", {})
    named = {token["name"]: token["token"] for token in northflank.get("tokens", [])}
    keys = {key["name"]: key["key"] for key in cycle.get("keys", [])}
    listed = {
        "tokens": named,
        "teams": [team["id"] for team in northflank.get("teams", [])],
        "cycle": {"hub": cycle.get("hub", {}).get("id"), "keys": keys},
    }
    print(json.dumps(listed))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paas_simulator", description="A simulator of hosting platforms.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    def options(sub: argparse.ArgumentParser, ready_required: bool) -> None:
        sub.add_argument("--host", default="127.0.0.1", help="address to listen on")
        sub.add_argument("--port", type=int, default=0, help="port of Northflank; 0 takes a free one")
        sub.add_argument("--cycle-port", type=int, default=0, help="port of Cycle; 0 takes a free one")
        sub.add_argument("--ssh-port", type=int, default=0, help="port of Cycle's SSH gateway; 0 takes a free one")
        sub.add_argument("--ready-file", type=Path, required=ready_required, help="written once the service listens")
        sub.add_argument("--estate", type=Path, help="estate file; the one shipped with the simulator otherwise")
        sub.add_argument("--watch-pid", type=int, help="end when this process is gone")
        sub.add_argument("--lifetime", type=float, help="end after this many seconds")

    options(command("serve", serve, "Serve in the foreground."), ready_required=False)
    starting = command("start", start, "Serve in the background; nothing happens when the service runs already.")
    options(starting, ready_required=True)
    starting.add_argument("--log-file", type=Path, help="output of the service; next to the ready file otherwise")
    stopping = command("stop", stop, "Stop the service of a ready file.")
    stopping.add_argument("--ready-file", type=Path, required=True)
    listing = command("tokens", tokens, "Print tokens, teams, hub and keys of an estate as JSON.")
    listing.add_argument("--estate", type=Path)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (EstateError, ProcessError, OSError) as exc:
        print(f"paas_simulator: {exc}", file=sys.stderr)
        return 1
