# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors: ``{"error": {"status", "code", "title", ...}, "data": null}``; codes as the specification has them."""

from __future__ import annotations

from ..messages import Answer, Record

CODES = {
    400: "400.invalid-syntax",
    401: "401.auth-invalid",
    403: "403.permissions",
    404: "404.uri",
    409: "409.duplicate-found",
    415: "415.invalid-content-type",
    422: "422.invalid-input",
    429: "429.rate-limiting",
    500: "500.unknown",
    503: "503.not-ready",
    504: "504.not-available",
}


class ApiError(Exception):
    """An error a handler answers with; ``capability`` is the one that is missing, ``source`` a JSON pointer."""

    def __init__(
        self, code: str, title: str, detail: str = "", *, source: str | None = None, capability: str | None = None
    ) -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.detail = detail
        self.source = source
        self.capability = capability

    def answer(self, oauth: bool = False) -> Answer:
        """Return the error as an answer; ``oauth``: errors of authentication have the shape of OAuth."""
        status = int(self.code[:3])
        if oauth and status == 401:
            return Answer(status, {"error": self.code, "error_description": self.title})
        error: Record = {"status": status, "code": self.code, "title": self.title}
        if self.detail:
            error["detail"] = self.detail
        if self.source:
            error["source"] = self.source
        if self.capability:
            error["extra"] = {"capability": self.capability}
        return Answer(status, {"error": error, "data": None})


def refusal(status: int, message: str) -> Answer:
    """Return the error of a status."""
    code = CODES.get(status, f"{status}.unknown")
    return Answer(status, {"error": {"status": status, "code": code, "title": message}, "data": None})


def invalid(detail: str, source: str | None = None, code: str = "422.invalid-argument") -> ApiError:
    """Return the 422 of something in a request that cannot be used."""
    return ApiError(code, "Invalid argument", detail, source=source)


def not_found(resource: str) -> ApiError:
    """Return the 404 of a resource, spelled as in the codes."""
    return ApiError(f"404.{resource}", f"{resource.split('.')[-1].capitalize()} not found")
