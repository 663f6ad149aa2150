#!/usr/bin/env bash
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The role: start, start again, check mode, another estate, stop, stop again. How often it changed something is read from
# the recap of ansible-playbook.

set -eu

ready="${OUTPUT_DIR}/simulator/ready.json"
printed="${OUTPUT_DIR}/printed.txt"

# Whatever happens, no simulator stays behind.
trap 'play -e simulator_state=stopped > /dev/null 2>&1 || true' EXIT

play() {
    ansible-playbook play.yml -i "${INVENTORY_PATH}" "$@"
}

# expect CHANGES ARGUMENT...: runs the playbook; CHANGES is "nothing", or "something" that it has to change.
expect() {
    local changes=$1
    shift
    echo "== play $*, expected to change ${changes}"
    play "$@" > "${printed}" 2>&1 || { cat "${printed}"; exit 1; }
    if [ "${changes}" = nothing ]; then
        grep -q ' changed=0 ' "${printed}" || { cat "${printed}"; exit 1; }
    elif grep -q ' changed=0 ' "${printed}"; then
        cat "${printed}"
        exit 1
    fi
}

running() {
    test -f "${ready}"
}

expect nothing -e simulator_state=stopped
if running; then exit 1; fi

expect something --check
if running; then exit 1; fi

expect something -e @shipped.yml
running
before=$(cat "${ready}")

expect nothing -e @shipped.yml
expect nothing -e @shipped.yml --check
expect something -e simulator_state=stopped --check
running
test "$(cat "${ready}")" = "${before}"

expect something -e @small.yml
running
test "$(cat "${ready}")" != "${before}"
expect nothing -e @small.yml

expect something -e simulator_state=stopped
if running; then exit 1; fi
expect nothing -e simulator_state=stopped
