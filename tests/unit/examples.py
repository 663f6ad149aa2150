# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of Northflank as data: the examples of the vendor's pages, to the letter, and today's shapes."""

from __future__ import annotations

import typing as t

# Vendor page "List addon containers", 2024.
CONTAINERS_2024: dict[str, t.Any] = {
    "data": {
        "containers": [
            {
                "name": "example-service-78b4d4459d-sbtn8",
                "createdAt": 1611241087,
                "status": "TASK_RUNNING",
                "updatedAt": 1611241087,
            }
        ]
    },
    "pagination": {"hasNextPage": False, "count": 1},
}

# Vendor page "Get addon", 2021.
ADDON_2021: dict[str, t.Any] = {
    "data": {
        "id": "example-addon",
        "name": "Example Addon",
        "appId": "/example-user/default-project/example-addon",
        "description": "This is the addon description",
        "createdAt": "2021-01-20T11:19:53.175Z",
        "status": "running",
        "spec": {
            "type": "mongodb",
            "config": {
                "versionTag": "4.2.14",
                "lifecycleStatus": "active",
                "deployment": {
                    "replicas": 1,
                    "storageSize": 1024,
                    "planId": "nf-compute-20",
                    "region": "europe-west",
                },
                "networking": {
                    "tlsEnabled": True,
                    "externalAccessEnabled": True,
                    "ipPolicies": [{"address": "127.0.0.1", "action": "ALLOW"}],
                },
            },
        },
    }
}

# Vendor page "List addon backup restores", 2024.
RESTORES_2024: dict[str, t.Any] = {
    "data": {
        "restores": [
            {
                "id": 1693287033325,
                "restoreTimestamp": "2021-01-20T11:19:54.494Z",
                "status": "completed",
                "completedAt": "2021-01-20T11:19:54.494Z",
            }
        ]
    },
    "pagination": {"hasNextPage": False, "count": 1},
}

# Vendor page "List template runs", 2024.
RUNS_2024: dict[str, t.Any] = {
    "data": {
        "templateRuns": [
            {
                "name": "Example Template",
                "description": "This is a sample template.",
                "apiVersion": "v1.2",
                "options": {"autorun": False, "concurrencyPolicy": "allow"},
                "id": "3dd592f6-ce63-45ee-acf8-13dc5ec5235c",
                "templateId": "example-template",
                "status": "success",
                "startedAt": "2021-01-01 12:01:00.000Z",
                "concluded": True,
                "concludedAt": "2021-01-01 12:10:00.000Z",
                "createdAt": "2021-01-01 12:00:00.000Z",
                "updatedAt": "2021-01-01 12:00:00.000Z",
            }
        ]
    },
    "pagination": {"hasNextPage": False, "count": 1},
}

# Official Python client 2.1.0, from here on.
ADDON_TODAY: dict[str, t.Any] = {
    **ADDON_2021["data"],
    "uid": "668596c647fed81696a8a82c",
    "tags": ["db", "prod"],
    "stageId": "stage-1",
    "status": "errorAllocating",
    "cluster": {"id": "nf-eu", "name": "EU", "namespace": "ns-1", "loadBalancers": ["1.2.3.4"]},
    "spec": {
        "type": "postgresql",
        "config": {
            "versionTag": "16.4.0",
            "lifecycleStatus": "active",
            "deployment": {
                "replicas": 3,
                "storageSize": 4096,
                "planId": "nf-compute-20",
                "region": "europe-west",
                "storageClass": "ssd",
            },
            "networking": {"tlsEnabled": True, "externalAccessEnabled": False},
            "typeSpecificSettings": {"postgresqlSupabaseMode": False},
        },
        "pendingActions": [{"type": "restart", "createdAt": "2026-01-20T11:19:53.175Z"}],
    },
}
ADDON_CUSTOM: dict[str, t.Any] = {
    "id": "custom-addon",
    "name": "Custom Addon",
    "appId": "/u/p/custom-addon",
    "status": "levitating",
    "spec": {"type": "helm-thing", "config": {"templateValues": {"replicaCount": 1, "Image_Tag": "x"}}},
}
ADDON_BUCKET: dict[str, t.Any] = {
    "id": "bucket",
    "name": "Bucket",
    "appId": "/u/p/bucket",
    "status": "running",
    "spec": {"type": "bucket", "config": {"region": "europe-west"}},
}
CONTAINER_TODAY: dict[str, t.Any] = {
    **CONTAINERS_2024["data"]["containers"][0],
    "nodeName": "node-1",
    "nodePoolUserId": "pool-a",
    "nodePoolProviderId": "gke-1",
    "host": "10.0.0.2",
    "ipAddresses": ["10.1.0.3"],
}
BACKUP_TODAY: dict[str, t.Any] = {
    "id": "nightly",
    "name": "nightly",
    "uid": "62cc20b90956ab62a58e8474",
    "status": "in-progress",
    "createdAt": "2026-01-20T11:19:53.175Z",
    "config": {"size": "734003200", "source": {"type": "liveInstance"}, "compressionType": "gz"},
}
RESTORE_TODAY: dict[str, t.Any] = {
    "id": "668596c647fed81696a8a82c",
    "backupId": "nightly",
    "restoreTimestamp": "2026-01-20T11:19:54.494Z",
    "status": "in-progress",
}
PROJECT_TODAY: dict[str, t.Any] = {
    "id": "web-shop",
    "name": "Web Shop",
    "uid": "u1",
    "description": "What customers see",
    "createdAt": "2026-01-20T11:19:54.494Z",
    "lifecycleStatus": "created",
    "deployment": {"region": "europe-west"},
    "cluster": {"id": "nf-eu", "name": "EU", "loadBalancers": []},
    "services": [{"id": "web", "appId": "/u/web-shop/web", "name": "Web", "uid": "u2", "serviceType": "combined"}],
    "jobs": [{"id": "sweep", "appId": "/u/web-shop/sweep", "name": "Sweep", "uid": "u3", "jobType": "cron"}],
    "addons": [{"id": "db", "appId": "/u/web-shop/db", "name": "DB", "uid": "u4", "spec": {"type": "mysql"}}],
}
TEMPLATE_TODAY: dict[str, t.Any] = {
    "id": "preview",
    "name": "Preview",
    "apiVersion": "v1.2",
    "arguments": {"imageTag": "v1", "REGION": "eu", "nestedMap": {"innerKey": 1}},
    "options": {"autorun": False},
    "concurrencyPolicy": "latest",
    "$schema": "https://schema.example.com/v1.2",
    "spec": {
        "kind": "Workflow",
        "spec": {
            "type": "sequential",
            "steps": [
                {
                    "kind": "BuildService",
                    "ref": "theBuild",
                    "spec": {
                        "buildArguments": {"nodeEnv": "prod"},
                        "buildFiles": {"/etc/appConfig.json": {"data": "eA=="}},
                        "dockerSecretMounts": {"npmToken": {"data": "eA=="}},
                        "buildSettings": {"dockerFilePath": "/Dockerfile"},
                    },
                },
                {
                    "kind": "ManualJob",
                    "spec": {
                        "runtimeEnvironment": {"logLevel": "debug"},
                        "runtimeFiles": {"/etc/jobConfig": {"data": "eA=="}},
                        "metadata": {"labels": {"costCentre": "a1"}, "annotations": {"ourTeam/ownerName": "b"}},
                    },
                },
                {
                    "kind": "SecretGroup",
                    "spec": {
                        "secretType": "environment",
                        "secrets": {"variables": {"apiUrl": "x"}, "files": {"/aB": {}}},
                    },
                },
                {"kind": "Template", "spec": {"argumentOverrides": {"subArg": "x"}}},
            ],
        },
    },
}
RUN_TODAY: dict[str, t.Any] = {
    "id": "3dd592f6-ce63-45ee-acf8-13dc5ec5235c",
    "templateId": "preview",
    "name": "Preview",
    "apiVersion": "v1.2",
    "arguments": {"imageTag": "v2"},
    "refs": {"theBuild": {"commitId": 7}},
    "status": "approval_wait",
    "concluded": False,
    "createdAt": "2026-01-01 12:00:00.000Z",
    "updatedAt": "2026-01-01 12:00:00.000Z",
    "spec": {
        "kind": "Workflow",
        "spec": {"type": "sequential", "steps": []},
        "response": {"status": "running", "startTime": 1611241087, "retries": {"maxAttempts": 3}},
    },
}
