# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What can go wrong, as exceptions that carry one message for a person and the same facts as data."""

from __future__ import annotations

import copy
import typing as t

if t.TYPE_CHECKING:
    from typing import Self


class PaasError(Exception):
    """Base of every error that the collection raises on purpose.

    message: one text that says what was tried, what came back and what to do next.
    method, path: the request in question, if there was one. The path never holds a token.
    status: HTTP status of the answer. code: the platform's error code. error_id: the platform's id of this very error.
    details: what else the platform said about it.
    may_have_succeeded: True when the platform may have carried out what was asked for all the same.
    results: what the result of the task tells besides, for example the jobs that were begun.
    """

    may_have_succeeded = False

    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        code: str | None = None,
        error_id: str | None = None,
        details: t.Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        self.path = path
        self.status = status
        self.code = code
        self.error_id = error_id
        self.details = details
        self.results: dict[str, t.Any] = {}

    def __str__(self) -> str:
        return self.message

    def named(self, name: str) -> Self:
        """The same error, its message preceded by the name of the thing that was being read or changed."""
        named = copy.copy(self)
        named.message = f"{name}: {self.message}"
        return named

    def as_result(self) -> dict[str, t.Any]:
        """The facts as a dictionary that always has the same keys; unknown ones are None."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "code": self.code,
            "id": self.error_id,
            "details": self.details,
        }


class OptionError(PaasError):
    """An option, or the environment variable behind it, has a value that cannot be used. Nothing was sent."""


class MissingLibraryError(PaasError):
    """A Python library that the collection needs is not installed for the interpreter in use."""


class WriteInCheckModeError(PaasError):
    """A request that changes something was about to be sent in check mode: a defect of the caller."""


class TransportError(PaasError):
    """No complete answer arrived: no connection, TLS failure, time-out, reset.

    is_final: True when another attempt could not help.
    """

    def __init__(
        self, message: str, *, may_have_succeeded: bool = False, is_final: bool = False, **facts: t.Any
    ) -> None:
        super().__init__(message, **facts)
        self.may_have_succeeded = may_have_succeeded
        self.is_final = is_final


class InvalidResponseError(PaasError):
    """An answer arrived that the API does not promise: not JSON, a broken list, paging without end."""


class ApiError(PaasError):
    """The platform answered with an error status."""


class NotFoundError(ApiError):
    """The platform answered 404."""


class JobError(PaasError):
    """A job of the platform ended without success."""


class StateError(PaasError):
    """What is there does not allow for what was asked, or did not become what it should."""


class WaitTimeoutError(PaasError):
    """What was waited for did not happen in time. last_seen: the last state that was read."""

    def __init__(self, message: str, *, last_seen: t.Any = None, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.last_seen = last_seen
