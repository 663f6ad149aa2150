// Copyright (c) 2026, Quayside contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The vendor's earlier client on the simulator: comma separated arrays, encoded brackets, the collection's deletion
// with a body, sockets.
//
// Standard input: JSON with packages (the folder that holds node_modules), url, key, hub, container (an identifier),
// server (an id). Standard output: JSON, what each step brought.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const given = JSON.parse(readFileSync(0, "utf8"));
const cycle = createRequire(`${given.packages}/package.json`)("@cycleplatform/cycle-api");

const POLL = 200; // milliseconds
const LIMIT = 100; // polls
const common = { token: given.key, hubId: given.hub, settings: { url: `${given.url}/v1` } };
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Returns the answer of a call; throws when it is refused. */
async function ask(call, params = {}) {
  const result = await call({ ...common, ...params });
  if (!result.ok) throw new Error(`${call.name}: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** Polls until a value is there. */
async function wait(what, look) {
  for (let poll = 0; poll < LIMIT; poll += 1) {
    const value = await look();
    if (value) return value;
    await sleep(POLL);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** Follows a job; returns its last state. */
function track(answer) {
  return wait(`the end of ${answer.data.action}`, async () => {
    const { data } = await ask(cycle.Jobs.getSingle, { id: answer.data.job?.id ?? answer.data.job_id });
    return ["completed", "error", "expired"].includes(data.state.current) && data.state.current;
  });
}

const found = {};
const { Instances } = cycle.Containers;

found.hub = (await ask(cycle.Hubs.getSingle)).data.id === given.hub;
const containers = await ask(cycle.Containers.getCollection, {
  query: { filter: { identifier: given.container }, meta: ["instances_count", "ips"], include: ["environments", "images"] },
});
found.containers = containers.data.map((container) => container.identifier);
found.metas = Object.keys(containers.data[0].meta).sort();
found.includes = Object.keys(containers.includes).sort();
const containerId = containers.data[0].id;
const query = { include: ["servers", "locations"], meta: ["node", "sdn_pool_ips"], sort: ["id"], page: { number: 1, size: 100 } };
const before = await ask(Instances.getCollection, { containerId, query });
found.before = before.data.map((instance) => instance.id);
found.servers = Object.keys(before.includes.servers).length;

const messages = [];
const hub = await ask(cycle.Notifications.connectToHubChannel, { onMessage: (message) => messages.push(message) });
await wait("the notification socket", () => hub.readyState === hub.OPEN);

found.create = await track(await ask(Instances.create, { containerId, value: [{ server_id: given.server, new_instances: 2 }] }));
const created = await wait("the instances", async () => {
  const { data } = await ask(Instances.getCollection, { containerId, query: { page: query.page } });
  const added = data.filter((instance) => !found.before.includes(instance.id));
  return added.length === 2 && added.every((instance) => instance.state.current === "running") && added;
});
const [first, second] = created.map((instance) => instance.id);

const lines = [];
const screen = await ask(Instances.connectToConsole, { containerId, id: first, onMessage: (data) => lines.push(data) });
const snapshots = [];
const { getInstanceResourceTelemetryStream } = Instances.Telemetry;
const meter = await ask(getInstanceResourceTelemetryStream, { containerId, id: first, onMessage: (one) => snapshots.push(one) });
await wait("console and telemetry", () => lines.length > 0 && snapshots.length > 1);
screen.close();
meter.close();
found.console = lines.map((line) => line.length ?? line.byteLength).reduce((all, size) => all + size, 0);
found.snapshot = snapshots.at(-1);
found.telemetry = snapshots.every((one) => one.instance_id === first && one.cpu.usage.total >= 0);

const ssh = await ask(Instances.getSSHConnection, { containerId, instanceId: first });
found.ssh = ssh.data.address.split("@")[0] === first;
found.expired = (await ask(Instances.expireInstanceSSHTokens, { containerId, instanceId: first })).data.tokens;
found.volumes = (await ask(Instances.Volumes.getCollection, { containerId, instanceId: first })).data.length;
const refused = await Instances.migrate({
  ...common, containerId, id: first, value: { destination_server_id: given.server },
});
found.old_action = [refused.ok, refused.error?.status];

found.remove = await track(await ask(Instances.removeMultiple, { containerId, value: { instances_ids: [first, second] } }));
const left = await ask(Instances.getCollection, { containerId, query: { filter: { state: ["running", "starting"] }, page: query.page } });
found.left = left.data.map((instance) => instance.id).filter((id) => [first, second].includes(id));
found.jobs = (await ask(cycle.Jobs.getCollection)).data.length > 0;
hub.close();
found.topics = [...new Set(messages.map((message) => message.topic))].sort();
found.instances_told = [first, second].every((id) => messages.some((message) => message.object.id === id));

console.log(JSON.stringify(found));
