// The Kubernetes manifests: by the types of the API, the option tables, the restricted Pod Security Standard, and what
// the README and the original's manifests promise about names and ports.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, optionsOf, readDockerfile, readManifests } from './files.mjs';
import { typeErrors } from './typecheck.mjs';

const manifests = readManifests('deploy/k8s');

function named(kind, name) {
  const found = manifests.filter(({ object }) => object.kind === kind && object.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0].object;
}

const controller = named('Pod', 'funkytown-controller');
const job = named('Job', 'funkytown-worker-job');
const workqueue = named('Service', 'funkytown-workqueue-service');
const reporter = named('Service', 'funkytown-reporter-service');
const pods = [
  { program: 'controller', pod: controller.spec },
  { program: 'worker', pod: job.spec.template.spec },
];

function variable(container, name) {
  return container.env.find((one) => one.name === name);
}

test('every field is one that Kubernetes knows', () => {
  assert.deepEqual(typeErrors(manifests), []);
});

test('the check of the fields finds a misspelt one, deep inside', () => {
  const wrong = structuredClone(job);
  wrong.spec.template.spec.containers[0].imagePullPolici = 'Never';
  assert.match(typeErrors([{ path: 'wrong.yaml', object: wrong }]).join(), /wrong\.yaml.*imagePullPolici/);
});

for (const { program, pod } of pods) {
  const [container] = pod.containers;

  test(`the ${program}'s Pod has one container, of the local image`, () => {
    assert.equal(pod.containers.length, 1);
    assert.equal(container.image, `${program}:latest`);
    assert.equal(container.imagePullPolicy, 'Never'); // a stranger's image of that name is never taken
  });

  test(`the ${program} is given only variables that it knows, and none by Kubernetes on its own`, () => {
    const known = optionsOf(program);
    assert.deepEqual(container.env.map((one) => one.name).filter((name) => !known.has(name)), []);
    assert.equal(pod.enableServiceLinks, false);
  });

  test(`the ${program} has Redis' password from the Secret that the README makes`, () => {
    const { valueFrom, value } = variable(container, 'REDIS_PASSWORD');
    assert.equal(value, undefined);
    assert.deepEqual(valueFrom, { secretKeyRef: { name: 'funkytown-redis', key: 'password' } });
  });

  test(`the ${program}'s Pod is allowed under the restricted Pod Security Standard`, () => {
    for (const key of ['hostIPC', 'hostPID', 'hostNetwork']) assert.equal(pod[key], undefined, key);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const volume of pod.volumes) assert.deepEqual(Object.keys(volume).sort(), ['emptyDir', 'name']);
    assert.equal(pod.automountServiceAccountToken, false);
  });

  test(`the ${program}'s user is the image's, and its volumes are that user's`, () => {
    const { runAsUser, runAsGroup, fsGroup } = pod.securityContext;
    const [user] = readDockerfile(`Dockerfile.${program}`).stages.at(-1).steps.filter((step) => step.word === 'USER');
    assert.equal(`${runAsUser}:${runAsGroup}`, user.text);
    assert.equal(fsGroup, runAsGroup);
    const mounted = container.volumeMounts.map((mount) => mount.name).sort();
    assert.deepEqual(mounted, pod.volumes.map((volume) => volume.name).sort());
  });

  test(`the ${program} has the memory that it asks for, a limit, and time to stop`, () => {
    assert.ok(container.resources.requests.memory && container.resources.requests.cpu && container.resources.limits.memory);
    assert.equal(container.resources.limits.cpu, undefined); // throttling makes specs fail that have nothing wrong
    assert.ok(pod.terminationGracePeriodSeconds >= (program === 'worker' ? 60 : 30));
  });
}

test('what the programs write to is a volume', () => {
  const mounts = ({ pod }) => pod.containers[0].volumeMounts.map((mount) => mount.mountPath).sort();
  const image = (program) => environmentOf(readDockerfile(`Dockerfile.${program}`).stages.at(-1));
  assert.deepEqual(mounts(pods[0]), [image('controller').FUNKYTOWN_DATA_DIR]);
  assert.deepEqual(mounts(pods[1]), ['/dev/shm', image('worker').TMPDIR]);
  assert.equal(pods[1].pod.volumes[0].emptyDir.medium, 'Memory');
});

test('the controller carries the labels, listens on the ports and is asked for its health', () => {
  const [container] = controller.spec.containers;
  const options = optionsOf('controller');
  assert.deepEqual(controller.metadata.labels, { workqueue: 'active', reporter: 'active' });
  assert.deepEqual(container.ports, [
    { name: 'workqueue', containerPort: Number(options.get('REDIS_PORT')) },
    { name: 'reporter', containerPort: Number(options.get('FUNKYTOWN_HTTP_PORT')) },
  ]);
  assert.deepEqual(container.livenessProbe.httpGet, { path: '/livez', port: 'reporter' });
  assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: 'reporter' });
});

test('a container that is started again resumes its run: same files, same name', () => {
  assert.equal(controller.spec.restartPolicy, 'Always');
  const { valueFrom } = variable(controller.spec.containers[0], 'FUNKYTOWN_RUN_ID');
  assert.deepEqual(valueFrom, { fieldRef: { fieldPath: 'metadata.uid' } });
});

for (const { service, label, port, nodePort } of [
  { service: workqueue, label: 'workqueue', port: 40379, nodePort: 30379 },
  { service: reporter, label: 'reporter', port: 40000, nodePort: 30000 },
]) {
  test(`the service ${service.metadata.name} leads to the controller, ready or not`, () => {
    assert.deepEqual(service.spec.ports, [{ name: label, protocol: 'TCP', port, targetPort: label, nodePort }]);
    assert.equal(service.spec.type, 'NodePort');
    assert.deepEqual(service.spec.selector, { [label]: 'active' });
    assert.equal(controller.metadata.labels[label], 'active');
    assert.ok(controller.spec.containers[0].ports.some((one) => one.name === label));
    assert.equal(service.spec.publishNotReadyAddresses, true);
  });
}

test('workers reach Redis through the service', () => {
  const [container] = job.spec.template.spec.containers;
  assert.equal(variable(container, 'REDIS_HOST').value, workqueue.metadata.name);
  assert.equal(variable(container, 'REDIS_PORT').value, String(workqueue.spec.ports[0].port));
});

test('the Job ends with the run, replaces lost workers, and stops at a wrong configuration', () => {
  assert.equal(job.spec.completions, undefined);
  assert.equal(job.spec.parallelism, 2);
  assert.equal(job.spec.template.spec.restartPolicy, 'Never');
  assert.ok(job.spec.backoffLimit >= 10);
  assert.ok(job.spec.ttlSecondsAfterFinished > 0);
  const [container] = job.spec.template.spec.containers;
  assert.deepEqual(job.spec.podFailurePolicy.rules, [
    { action: 'FailJob', onExitCodes: { containerName: container.name, operator: 'In', values: [2] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ]);
});
