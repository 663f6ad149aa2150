# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX accepts: credential types, credentials, surveys, rules of schedules, and which files are playbooks to it.

Each check returns what AWX has against its argument, an empty list for nothing. Names like main/fields.py are files of
AWX's sources, https://github.com/ansible/awx, below awx.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

# main/fields.py, CredentialTypeInputField
FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "type": (str,),
    "format": (str,),
    "choices": (list,),
    "label": (str,),
    "help_text": (str,),
    "multiline": (bool,),
    "secret": (bool,),
    "ask_at_runtime": (bool,),
    "default": (object,),
}
STRINGS_ONLY = ("choices", "multiline", "format", "secret")
IDENTIFIER = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
FILE_KEY = re.compile(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?")
# main/constants.py, ENV_BLOCKLIST
BLOCKED = frozenset(
    (
        *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID"),
        *("AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE"),
        *("CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION"),
        "SUPERVISOR_CONFIG_PATH",
    )
)

# api/views/__init__.py, JobTemplateSurveySpec
QUESTION_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), (str,)),
    "integer": (int,),
    "float": (float,),
}


# Credential types


def credential_type_problems(kind: Mapping[str, Any]) -> list[str]:
    """What AWX has against a credential type that a user makes: name, kind, inputs and injectors."""
    problems = [] if kind.get("kind") in ("cloud", "net") else [f"Must be 'cloud' or 'net', not {kind.get('kind')}"]
    found = input_problems(kind.get("inputs", {}))
    # The templates mean nothing where the fields are wrong.
    return problems + (found or injector_problems(kind.get("injectors", {}), kind.get("inputs", {})))


def input_problems(inputs: Any) -> list[str]:
    """main/fields.py, CredentialTypeInputField.validate(); nothing asked at runtime: api/serializers.py."""
    if not isinstance(inputs, dict):
        return ["inputs is no object"]
    problems = [f"inputs has {name}" for name in inputs if name not in ("fields", "required")]
    if not is_list_of(inputs.get("required", []), str):
        problems.append("required is no list of strings")
    fields = inputs.get("fields", [])
    if not is_list_of(fields, dict):
        return [*problems, "fields is no list of objects"]
    for field in fields:
        problems += field_problems(field)
    ids = [field.get("id") for field in fields]
    return problems + [f"field IDs must be unique ({each})" for each in sorted({i for i in ids if ids.count(i) > 1})]


def field_problems(field: Mapping[str, Any]) -> list[str]:
    """One input field."""
    problems = [f"a field has {name}" for name in field if name not in FIELD_TYPES]
    problems += [f"a field lacks {name}" for name in ("id", "label") if name not in field]
    problems += [f"{name} is no {kinds[0].__name__}" for name, kinds in FIELD_TYPES.items()
                 if name in field and not isinstance(field[name], kinds)]  # fmt: skip
    if problems:
        return problems
    kind = field.get("type", "string")
    conditions = {
        f"{field['id']} is no identifier": not IDENTIFIER.fullmatch(field["id"]),
        "tower is a reserved field name": field["id"] == "tower",
        f"{kind} is no type of a field": kind not in ("string", "boolean"),
        f"{field.get('format')} is no format": field.get("format", "url") not in ("ssh_private_key", "url"),
        "choices is no list of different strings": "choices" in field and not are_choices(field["choices"]),
        "ask_at_runtime is not supported for custom credentials": field.get("ask_at_runtime", False),
    }
    conditions |= {f"{name} not allowed for {kind} type": name in field and kind != "string" for name in STRINGS_ONLY}
    return [text for text, is_so in conditions.items() if is_so]


def are_choices(choices: list[Any]) -> bool:
    """At least one, all of them text, none twice."""
    return bool(choices) and is_list_of(choices, str) and len(set(choices)) == len(choices)


def is_list_of(value: Any, kind: type) -> bool:
    """Whether a value is a list with nothing but one type in it."""
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def injector_problems(injectors: Any, inputs: Mapping[str, Any]) -> list[str]:
    """main/fields.py, CredentialTypeInjectorField.validate()."""
    if not isinstance(injectors, dict):
        return ["injectors is no object"]
    problems = [f"injectors has {name}" for name in injectors if name not in ("file", "env", "extra_vars")]
    if problems or not all(isinstance(each, dict) for each in injectors.values()):
        return problems or ["an injector is no object"]
    files = list(injectors.get("file", {}))
    problems += [f"{name} is no key of a file" for name in files if not FILE_KEY.fullmatch(name)]
    if "template" in files and len(files) > 1:
        problems.append("Must use multi-file syntax when injecting multiple files")
    problems += [found for name in injectors.get("env", {}) if (found := environment_problem(name))]
    problems += [f"{name} is no variable" for name in injectors.get("extra_vars", {}) if not IDENTIFIER.fullmatch(name)]
    names = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])} | {"tower": tower(files)}
    for injector in injectors.values():
        problems += [found for name, text in injector.items() if (found := template_problem(name, text, names))]
    return problems


def environment_problem(name: str) -> str:
    """What AWX has against the name of an environment variable."""
    if not IDENTIFIER.fullmatch(name):
        return f"{name} is no name of an environment variable"
    if name.startswith("ANSIBLE_"):
        return f"Environment variable {name} may affect Ansible configuration so its use is not allowed in credentials."
    if name in BLOCKED:
        return f"Environment variable {name} is not allowed to be used in credentials."
    return ""


def tower(files: Iterable[str]) -> dict[str, Any]:
    """What templates find as `tower`: the names of the files that are injected."""
    names = [name.partition(".")[2] for name in files]
    if not names:
        return {}
    return {"filename": "EXAMPLE_FILENAME" if names == [""] else dict.fromkeys(names, "EXAMPLE_FILENAME")}


def template_problem(name: str, text: Any, names: Mapping[str, Any]) -> str:
    """What is wrong with a template that an injector renders."""
    if not isinstance(text, str) or not text.isascii():
        return f"{name} is no ASCII text"
    try:
        ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(text).render(names)
    except UndefinedError as error:
        return f"{name} uses an undefined field ({error})"
    except SecurityError as error:
        return f"Encountered unsafe code execution: {error}"
    except TemplateSyntaxError as error:
        return f"Syntax error rendering template for {name} ({error})"
    return ""


def normal_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a credential type as AWX keeps them: a field without a type is a string."""
    fields = [{**field, "type": field.get("type", "string")} for field in inputs.get("fields", [])]
    return {**inputs, "fields": fields} if "fields" in inputs else dict(inputs)


def credential_problems(values: Any, inputs: Mapping[str, Any]) -> list[str]:
    """What AWX has against the inputs of a credential: main/fields.py, CredentialInputField.

    Whether the required ones are there is looked at when a job starts.
    """
    if not isinstance(values, dict):
        return ["inputs is no object"]
    fields = {field["id"]: field for field in inputs.get("fields", [])}
    problems = [f"Additional properties are not allowed ({name!r} was unexpected)" for name in values.keys() - fields]
    for name in values.keys() & fields:
        kind = bool if fields[name].get("type") == "boolean" else str
        if not isinstance(values[name], kind):
            problems.append(f"{name} is no {kind.__name__}")
        elif values[name] and values[name] not in fields[name].get("choices", [values[name]]):
            problems.append(f"{values[name]!r} is not one of {fields[name]['choices']}")
    return problems


# Surveys


def survey_problems(survey: Any) -> list[str]:
    """What AWX has against a survey: api/views/__init__.py, JobTemplateSurveySpec._validate_spec_data()."""
    if not isinstance(survey, dict):
        return ["the survey is no object"]
    kinds: dict[str, type] = {"name": str, "description": str, "spec": list}
    problems = [f"Field '{name}' is missing from survey spec." for name in kinds if name not in survey]
    problems += [f"{name} is no {kind.__name__}" for name, kind in kinds.items()
                 if name in survey and not isinstance(survey[name], kind)]  # fmt: skip
    if problems or not survey["spec"]:
        return problems or ["'spec' doesn't contain any items."]
    for number, question in enumerate(survey["spec"]):
        problems += [f"question {number}: {each}" for each in question_problems(question)]
    names = [question.get("variable") for question in survey["spec"] if isinstance(question, dict)]
    return problems + [f"'variable' '{each}' duplicated" for each in {name for name in names if names.count(name) > 1}]


def question_problems(question: Any) -> list[str]:
    """One question of a survey."""
    if not isinstance(question, dict):
        return ["is not a json object"]
    kinds: dict[str, type] = {"type": str, "question_name": str, "variable": str, "required": bool}
    if missing := [name for name in kinds if name not in question]:
        return [f"'{name}' missing" for name in missing]
    if wrong := [name for name, kind in kinds.items() if not isinstance(question[name], kind)]:
        return [f"'{name}' expected to be {kinds[name].__name__}" for name in wrong]
    kind, default = question["type"], question.get("default", "")
    if kind not in QUESTION_TYPES:
        return [f"'{kind}' is not one of the allowed question types"]
    problems = []
    if default != "" and not isinstance(default, QUESTION_TYPES[kind]):
        problems.append(f"Default value {default} expected to be {QUESTION_TYPES[kind][0].__name__}")
    problems += [f"The {limit} limit expected to be integer" for limit in ("min", "max")
                 if not isinstance(question.get(limit), int | None)]  # fmt: skip
    return problems or choice_problems(question)


def choice_problems(question: Mapping[str, Any]) -> list[str]:
    """The choices of a question, and whether its default is among them."""
    if question["type"] not in ("multiplechoice", "multiselect"):
        return []
    if "choices" not in question:
        return ["must specify choices"]
    choices = lines(question["choices"])
    defaults = lines(question.get("default", ""))
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        return ["Multiple Choice (Single Select) can only have one default value."]
    return [] if set(defaults) <= set(choices) else ["Default choice must be answered from the choices listed."]


def lines(value: Any) -> list[str]:
    """Choices as a list; AWX takes them as such, or as the lines of a text."""
    return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else list(value)


# Schedules


def rrule_problems(text: str) -> list[str]:
    """What AWX has against the rule of a schedule: api/serializers.py, SchedulePreviewSerializer.validate_rrule()."""
    starts = re.findall(r"DTSTART(?:;[^:\s]+)?:[0-9]+T[0-9]+Z?", text)
    rules = re.findall(r"EX?RULE:\S*|RRULE:\S*", text)
    problems = {
        "This field may not be blank.": not text,
        "Valid DTSTART required in rrule.": not starts,
        "Multiple DTSTART is not supported.": len(starts) > 1,
        "DTSTART cannot be a naive datetime.": bool(re.search(r"DTSTART:[0-9]+T[0-9]+ ", text)),
        "One or more rule required in rrule.": not rules,
        "EXDATE not allowed in rrule.": "EXDATE:" in text.upper(),
        "RDATE not allowed in rrule.": "RDATE:" in text.upper(),
    }
    for rule in rules:
        count = re.search(r"COUNT=([0-9]+)", rule)
        problems |= {
            f"INTERVAL required in rrule: {rule}": "INTERVAL" not in rule,
            f"SECONDLY is not supported: {rule}": "SECONDLY" in rule,
            f"BYDAY with numeric prefix not supported: {rule}": bool(re.search(r"BYDAY[:=][0-9]+[A-Z]{2}", rule)),
            f"RRULE may not contain both COUNT and UNTIL: {rule}": "COUNT" in rule and "UNTIL" in rule,
            f"COUNT > 999 is unsupported: {rule}": count is not None and int(count[1]) > 999,
        }
    return [problem for problem, is_so in problems.items() if is_so]


# Projects


def playbooks_of(project: Path) -> list[str]:
    """The files of a checkout that AWX offers as playbooks: main/utils/ansible.py, could_be_playbook()."""
    begins = re.compile(r"^\s*-?\s*(?:hosts|include|import_playbook):", re.MULTILINE)
    found = []
    for path in sorted([*project.rglob("*.yml"), *project.rglob("*.yaml")]):
        folders = path.relative_to(project).parts[:-1]
        if any(folder.startswith(".") or folder in ("roles", "tasks", "group_vars", "host_vars") for folder in folders):
            continue
        if begins.search(path.read_text(encoding="utf-8", errors="ignore")):
            found.append(str(path.relative_to(project)))
    return found
