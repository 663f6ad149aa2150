// Copyright (c) 2026, Quayside contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The work of a client on one instance, with the library that the vendor's present client is made of.
//
// Standard input: JSON with packages (the folder that holds node_modules), url, key, hub, container (an identifier).
// Standard output: JSON, what each step brought. Ends with an error when a step is refused that should not be.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const given = JSON.parse(readFileSync(0, "utf8"));
const createClient = createRequire(`${given.packages}/package.json`)("openapi-fetch").default;

const ZERO = "0001-01-01T00:00:00Z";
const POLL = 200; // milliseconds
const LIMIT = 100; // polls

const client = createClient({ baseUrl: given.url });
client.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${given.key}`);
    request.headers.set("X-Hub-Id", given.hub);
    return request;
  },
});

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Calls an operation and returns its answer; throws the error when it is refused. */
async function ask(method, path, places = {}, query = {}, body = undefined) {
  const { data, error, response } = await client[method](path, { params: { path: places, query }, body });
  if (error) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(error)}`);
  return { status: response.status, ...data };
}

/** Follows a job as the vendor's client does: missing five times at most, until it is completed, error or expired. */
async function track(descriptor) {
  const seen = [];
  let missing = 0;
  for (let poll = 0; poll < LIMIT; poll += 1) {
    const { data, error } = await client.GET("/v1/jobs/{jobId}", { params: { path: { jobId: descriptor.job.id } } });
    if (error) {
      missing += 1;
      if (error.error.code !== "404.job" || missing > 5) throw new Error(JSON.stringify(error));
    } else {
      const state = data.data.state.current;
      const steps = data.data.tasks.flatMap((task) => task.steps ?? []);
      if (seen.at(-1)?.state !== state) {
        seen.push({ state, steps: steps.length, done: steps.filter((step) => step.completed !== ZERO).length });
      }
      if (["completed", "error", "expired"].includes(state)) return { action: descriptor.action, seen };
    }
    await sleep(POLL);
  }
  throw new Error(`the job does not end: ${JSON.stringify(seen)}`);
}

const found = {};
const instances = "/v1/containers/{containerId}/instances";
const one = `${instances}/{instanceId}`;

const containers = await ask("GET", "/v1/containers", {}, {
  filter: { identifier: given.container }, include: ["environments", "creators"], meta: ["instances_count"], sort: ["-id"],
});
found.containers = containers.data.map((container) => container.identifier);
found.instances_count = containers.data[0].meta.instances_count;
found.container_includes = Object.keys(containers.includes).sort();
const containerId = containers.data[0].id;

const query = { include: ["servers", "locations"], meta: ["node"], sort: ["-id"], page: { number: 1, size: 100 } };
const before = await ask("GET", instances, { containerId }, query);
found.before = before.data.map((instance) => instance.id);
found.nodes = before.data.map((instance) => instance.meta.node.online);
found.servers_included = before.data.map((instance) => before.includes.servers[instance.server_id]?.id === instance.server_id);
const running = await ask("GET", instances, { containerId }, { filter: { state: "running,starting" }, page: { size: 100 } });
found.states = [...new Set(running.data.map((instance) => instance.state.current))];

const usable = await ask("GET", "/v1/containers/{containerId}/servers/usable", { containerId }, { meta: ["node"] });
found.usable = usable.data.map((server) => server.id);

const [origin, destination] = found.usable;
const created = await ask("POST", instances, { containerId }, {}, [{ server_id: origin, new_instances: 1 }]);
found.create = { status: created.status, ...(await track(created.data)) };
const after = await ask("GET", instances, { containerId }, query);
found.created = after.data.map((instance) => instance.id).filter((id) => !found.before.includes(id));
const [instanceId] = found.created;

async function until(id, state) {
  for (let poll = 0; poll < LIMIT; poll += 1) {
    const { data } = await ask("GET", one, { containerId, instanceId: id }, { meta: ["node", "sdn_pool_ips"] });
    if (data.state.current === state) return data;
    await sleep(POLL);
  }
  throw new Error(`${id} does not become ${state}`);
}

const instance = await until(instanceId, "running");
found.server = instance.server_id === origin;

const places = { containerId, instanceId };
const ssh = await ask("GET", `${one}/ssh`, places);
found.ssh = { user: ssh.data.address.split("@")[0] === instanceId, secret: ssh.data.secret.length > 0, valid: ssh.data.token.valid };
found.expired = (await ask("DELETE", `${one}/ssh`, places)).data.tokens;
found.volumes = (await ask("GET", `${one}/volumes`, places, { sort: ["id"], page: { number: 1, size: 10 } })).data.length;
const report = await ask("GET", `${one}/telemetry/resources/report`, places);
found.report = report.data.request.instance_id === instanceId && Array.isArray(report.data.snapshots);
const stream = await ask("GET", `${one}/telemetry/resources/stream`, places);
const screen = await ask("GET", `${one}/console`, places);
found.streams = [stream.data, screen.data].map((answer) => answer.token.length > 0 && answer.address.includes("://"));

const contents = { destination_server_id: destination, stateful: { copy_volumes: true } };
const moved = await ask("POST", `${one}/tasks`, places, {}, { action: "migration.start", contents });
found.migrate = { status: moved.status, ...(await track(moved.data)) };
const source = (await ask("GET", one, places)).data;
const target = await until(source.migration.to.instance_id, "running");
found.migrated = {
  id_changed: target.id !== instanceId,
  server: target.server_id === destination,
  from: target.migration.from.instance_id === instanceId,
  source: source.ready_state,
};

const removed = await ask("DELETE", one, { containerId, instanceId: target.id });
found.remove = { status: removed.status, ...(await track(removed.data)) };
const gone = await client.GET(one, { params: { path: { containerId, instanceId: target.id } } });
found.gone = gone.error?.error.code ?? gone.data.data.state.current;
const unknown = await client.GET(one, { params: { path: { containerId, instanceId: "0".repeat(24) } } });
found.unknown = [unknown.response.status, unknown.error.error.code, unknown.error.data];

console.log(JSON.stringify(found));
