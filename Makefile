# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
SUITES = unit simulator conformance contract resilience connections roles awx integration sanity lint docs-lint docs-html licence package
.PHONY: help test test-all demo bench docs clean $(SUITES)

# The first interpreter that can make a virtual environment. Looked for only by targets that need it.
FIND_PYTHON = for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  "$$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done
PYTHON = $(or $(shell $(FIND_PYTHON)),$(error no Python 3.11 or newer with venv and ensurepip is on PATH))
TOOLS = @exec $(PYTHON) tests/tools/bootstrap.py

help: ## show this text
	@grep -E '^[$$()A-Za-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([$$()A-Za-z-]+):.*## /\1|/; s/^.*SUITES.*\|/SUITE|/' | \
	  while IFS='|' read -r name text; do printf '%-10s %s\n' "$$name" "$$text"; done
	@echo 'SUITE is one of: $(SUITES)'

test: ## every suite, on the newest ansible-core that the Pythons found here allow; ARGS="…" selects tests, as for pytest
	$(TOOLS) test $(ARGS)

$(SUITES): ## one suite; ARGS="tests/unit/test_http.py -k retry" selects tests, MODULE=addon_info those of a module
	$(TOOLS) suite $@ $(if $(MODULE),--module $(MODULE)) $(ARGS)

test-all: ## unit on older versions of ansible-core, contract and sanity on the oldest (NIGHTLY=1: all on each)
	$(TOOLS) test-all

demo: ## the tour against the simulator; with NORTHFLANK_API_TOKEN, NF_API_TOKEN or CYCLE_API_KEY set, it reads the real platform
	$(TOOLS) demo

bench: ## what a task costs
	$(TOOLS) bench $(ARGS)

docs: ## the documentation as HTML, in .cache/docs
	$(TOOLS) docs

clean: ## remove everything that was made
	$(TOOLS) clean
