# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Northflank's error envelope: ``{"error": {"status", "message", "id", "details"}}``.

The platform publishes no list of error ids: those used here are the simulator's own.
"""

from __future__ import annotations

from ..messages import Answer, Record

IDS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "payload-too-large",
    429: "rate-limit-exceeded",
    500: "internal-server-error",
    502: "bad-gateway",
    503: "service-unavailable",
    504: "gateway-timeout",
}


class ApiError(Exception):
    """An error a handler answers with."""

    def __init__(self, status: int, message: str, error_id: str | None = None, details: Record | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_id = error_id or IDS.get(status, f"error-{status}")
        self.details = details or {}

    def answer(self) -> Answer:
        """Return the error as an answer."""
        error: Record = {"status": self.status, "message": self.message, "id": self.error_id}
        if self.details:
            error["details"] = self.details
        return Answer(self.status, {"error": error})


def not_found(kind: str, **ids: str) -> ApiError:
    """Return the 404 of an unknown project, addon, backup, template, run or team."""
    return ApiError(404, f"{kind.capitalize()} not found", f"{kind.replace(' ', '-')}-not-found", dict(ids))


def invalid(name: str, why: str, value: object) -> ApiError:
    """Return the 400 of a field of a body."""
    return ApiError(400, f"Invalid request body: {name} {why}", details={name: value})
