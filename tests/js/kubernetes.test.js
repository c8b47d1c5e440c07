/** The manifests of deploy/kubernetes: what Kubernetes would refuse or drop, and what has to fit the program and each other. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import { Broker } from "./harness/Broker.js";
import { Gateway, showLogsOfFailures } from "./harness/Gateway.js";
import { faults, objects, text } from "./harness/manifests.js";

const broker = await Broker.connect();
after(() => broker.close());
showLogsOfFailures();

const [kustomization] = await objects("kustomization.yaml");
const example = "secret.example.yaml";
const all = (await Promise.all([...kustomization.resources, example].map(objects))).flat();
const the = (kind) => all.find((object) => object.kind === kind);
const { template } = the("Deployment").spec;
const [container] = template.spec.containers;
const settings = Object.fromEntries(
  (await text("gateway.env"))
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(/=(.*)/s, 2)),
);

describe("The manifests by themselves", () => {
  for (const object of all) {
    test(`${object.kind} ${object.metadata.name} is what its schema says, and has no other field`, () => {
      assert.deepEqual(faults(object), []);
    });
  }

  test("a wrong type, a missing and an unknown field are found", () => {
    const service = () => structuredClone(the("Service"));
    assert.match(faults({ ...service(), spec: { ports: [{ port: "eighty" }] } }).join(), /port/);
    assert.match(faults({ ...service(), spec: { ports: [{ name: "http" }] } }).join(), /port/);
    const misspelt = service();
    misspelt.spec.ports[0].targetport = "http";
    assert.deepEqual(faults(misspelt), ["unknown field /spec/ports/0/targetport"]);
    assert.deepEqual(faults({ ...service(), apiVersion: "v2" }), ["Service is of v1, not of v2"]);
  });

  test("the kustomization has every file but the example of a secret", async () => {
    const files = await readdir(new URL("../../deploy/kubernetes/", import.meta.url));
    const named = [...kustomization.resources, ...kustomization.configMapGenerator.flatMap(({ envs }) => envs)];
    assert.deepEqual(files.sort(), [...named, "kustomization.yaml", example].sort());
  });

  test("no secret is more than a place for one, and none is among the settings", () => {
    for (const value of Object.values(the("Secret").stringData)) assert.match(value, /REPLACE/);
    const secrets = ["AMQP_URL", "JWT_SECRET", "JWT_PREVIOUS_SECRET", "INTERNAL_API_KEYS", "CURSOR_SECRET"];
    assert.deepEqual(secrets.filter((name) => name in settings), []);
  });
});

describe("The manifests together", () => {
  test("names, labels and ports lead from one to the other", async () => {
    const labels = template.metadata.labels;
    const ports = container.ports.map(({ name }) => name);
    for (const { spec } of all.filter(({ kind }) => kind === "Service")) {
      assert.deepEqual(spec.selector, labels);
      for (const { targetPort } of spec.ports) assert.ok(ports.includes(targetPort), targetPort);
    }
    assert.deepEqual(the("Deployment").spec.selector.matchLabels, labels);
    assert.deepEqual(the("PodDisruptionBudget").spec.selector.matchLabels, labels);
    assert.deepEqual(the("NetworkPolicy").spec.podSelector.matchLabels, labels);
    for (const { port } of the("NetworkPolicy").spec.ingress.flatMap((rule) => rule.ports)) assert.ok(ports.includes(port), port);
    assert.deepEqual(container.ports, [
      { name: "http", containerPort: Number(settings.PORT) },
      { name: "internal", containerPort: Number(settings.INTERNAL_PORT) },
    ]);

    const { service } = the("Ingress").spec.rules[0].http.paths[0].backend;
    const behind = all.find(({ kind, metadata }) => kind === "Service" && metadata.name === service.name);
    assert.ok(behind.spec.ports.some(({ name }) => name === service.port.name));

    const { selector, endpoints } = the("ServiceMonitor").spec;
    const has = ({ metadata }) => Object.entries(selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value);
    const scraped = all.filter((object) => object.kind === "Service" && has(object));
    assert.deepEqual(scraped.map(({ spec }) => spec.ports.map(({ name }) => name)), [endpoints.map(({ port }) => port)]);

    const jobs = endpoints.map(({ relabelings }) => relabelings.find(({ targetLabel }) => targetLabel === "job").replacement);
    const alerts = await readFile(new URL("../../deploy/prometheus/alerts.yml", import.meta.url), "utf8");
    const asked = new Set([...alerts.matchAll(/\bjob="([^"]*)"/g)].map(([, job]) => job));
    assert.deepEqual([...asked], jobs);

    const { scaleTargetRef } = the("HorizontalPodAutoscaler").spec;
    assert.equal(scaleTargetRef.name, the("Deployment").metadata.name);
    assert.equal(container.envFrom[0].configMapRef.name, kustomization.configMapGenerator[0].name);
    assert.equal(container.image, kustomization.images[0].name);
  });

  test("secrets are files where the settings look for them", () => {
    const [{ mountPath }] = container.volumeMounts;
    const files = Object.entries(settings).filter(([name]) => name.endsWith("_FILE"));
    const secret = the("Secret");
    assert.equal(template.spec.volumes[0].secret.secretName, secret.metadata.name);
    assert.deepEqual(files.map(([, path]) => path), Object.keys(secret.stringData).map((key) => `${mountPath}/${key}`));
  });

  test("a replica has the time that it takes to shut down", () => {
    const pause = Number(container.lifecycle.preStop.exec.command[1]);
    assert.ok(pause + Number(settings.SHUTDOWN_GRACE_SECONDS) < template.spec.terminationGracePeriodSeconds);
  });

  test("when one replica of the fewest goes, the others may take its connections over", () => {
    const { minReplicas, metrics } = the("HorizontalPodAutoscaler").spec;
    const each = Number(metrics[0].pods.target.averageValue);
    assert.ok((each * minReplicas) / (minReplicas - 1) <= Number(settings.MAX_CONNECTIONS));
  });

  test("nothing in a pod has more rights than it needs", () => {
    const { securityContext } = template.spec;
    assert.equal(securityContext.runAsNonRoot, true);
    assert.equal(template.spec.automountServiceAccountToken, false);
    const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext;
    assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities], [false, true, { drop: ["ALL"] }]);
  });
});

describe("The program with these settings", () => {
  /** What a test has otherwise: the journal is the test's, and secrets and ports are the harness's. */
  const OTHERWISE = /^(JOURNAL|PORT|INTERNAL_HOST|INTERNAL_PORT|.+_FILE)$/;
  const taken = Object.fromEntries(Object.entries(settings).filter(([name]) => !OTHERWISE.test(name)));

  test("it takes them, answers the probes, and has the metric of the autoscaler", async (t) => {
    const gateway = await Gateway.start(t, broker, taken);
    for (const probe of [container.readinessProbe, container.livenessProbe]) {
      assert.equal((await fetch(gateway.url + probe.httpGet.path)).status, 200);
    }
    const headers = { "x-internal-api-key": gateway.apiKey };
    const [{ path }] = the("ServiceMonitor").spec.endpoints;
    const metrics = await (await fetch(gateway.url + path, { headers })).text();
    const { name } = the("HorizontalPodAutoscaler").spec.metrics[0].pods.metric;
    assert.match(metrics, new RegExp(`^# TYPE ${name} gauge$`, "m"));
    // Of variables that it does not know it logs the names.
    const doubts = gateway.takeLog().filter((line) => "variable" in JSON.parse(line));
    assert.deepEqual(doubts, []);
  });
});
