# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the simulator's files in place: python unpack.py FOLDER, the files as base64 of a JSON object on standard input.

FOLDER is made in one step, the link ``service`` beside it leads to it, folders of other versions go.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from pathlib import Path

target = Path(sys.argv[1])
part = target.with_name(f"{target.name}.{os.getpid()}.part")
for name, content in json.loads(base64.b64decode(sys.stdin.buffer.read())).items():
    path = part / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
part.rename(target)
link = part.with_suffix(".link")
link.symlink_to(target.name)
link.replace(target.with_name("service"))
for other in target.parent.glob("service-*"):
    if other != target:
        shutil.rmtree(other, ignore_errors=True)
