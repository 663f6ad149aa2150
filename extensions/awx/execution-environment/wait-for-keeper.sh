#!/bin/sh
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command, and lets the processes that keep Cycle's SSH credentials for it expire them before it returns.
# Usage: wait-for-keeper.sh COMMAND [ARGUMENT...]. Returns the exit code of the command.
#
# A keeper (see quayside.paas.cycle_ssh) goes on for some seconds after the run of Ansible that it belongs to. A
# container ends with its command, and everything in it is killed. So this is what a container has to run.

limit=20 # seconds

# Each keeper has a folder of its own until it has expired everything: in the folder for control sockets, or in a
# temporary one.
keepers() {
    for folder in \
        "${ANSIBLE_SSH_CONTROL_PATH_DIR:-/runner/cp}"/qs-* \
        "${HOME:-/home/runner}"/.ansible/cp/qs-* \
        "${TMPDIR:-/tmp}/quayside-$(id -u)"/qs-*; do
        [ -d "$folder" ] && return 0
    done
    return 1
}

# When the job is cancelled, the command is told to end by the same signal, and this goes on until it has.
trap : HUP INT TERM

"$@"
code=$?

tries=$((limit * 5))
while [ "$tries" -gt 0 ] && keepers; do
    tries=$((tries - 1))
    sleep 0.2
done
exit "$code"
