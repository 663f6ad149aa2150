# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every error that the collection raises on purpose. Pure data: nothing here ends a module."""

from __future__ import annotations

import copy
import typing as t


class PaasError(Exception):
    """Base of the errors: one message that says what was tried, what came back and what to do next.

    Args:
        message: The text for the user.
        method, path: The request, if there was one. The path never contains a token.
        status: HTTP status of the response.
        code, error_id, details: The platform's error code, its id of this error, and what else it said.
    """

    # True if the platform may have done what was asked for all the same.
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
        # What the result of the task contains besides, for example the jobs that were started.
        self.results: dict[str, t.Any] = {}

    def __str__(self) -> str:
        return self.message

    def named(self, name: str) -> t.Self:
        """Return the same error with a message that begins with the name of what was being read or changed."""
        named = copy.copy(self)
        named.message = f"{name}: {self.message}"
        return named

    def facts(self) -> dict[str, t.Any]:
        """Return the keyword arguments that make another error about the same request and response."""
        return {name: value for name, value in vars(self).items() if name not in ("message", "results")}

    def as_result(self) -> dict[str, t.Any]:
        """Return the facts under keys that are always the same; unknown ones are None."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "code": self.code,
            "id": self.error_id,
            "details": self.details,
        }


class OptionError(PaasError):
    """An option, or the environment variable behind it, has an unusable value. Nothing was sent."""


class MissingLibraryError(PaasError):
    """A Python library that the collection needs is not installed for the interpreter in use."""


class WriteInCheckModeError(PaasError):
    """A request that changes something was about to be sent in check mode: a defect of the caller."""


class TransportError(PaasError):
    """No complete response: no connection, TLS failure, time-out, reset. is_final: another attempt cannot help."""

    def __init__(
        self, message: str, *, may_have_succeeded: bool = False, is_final: bool = False, **facts: t.Any
    ) -> None:
        super().__init__(message, **facts)
        self.may_have_succeeded = may_have_succeeded
        self.is_final = is_final


class InvalidResponseError(PaasError):
    """A response that the API does not promise: not JSON, a broken list, paging without end."""


class ApiError(PaasError):
    """A response with an error status."""


class NotFoundError(ApiError):
    """A response with status 404."""


class JobError(PaasError):
    """A job of the platform ended without success."""


class StateError(PaasError):
    """The current state does not allow what was asked for, or did not become what it should."""


class WaitTimeoutError(PaasError):
    """Something did not happen in time."""
