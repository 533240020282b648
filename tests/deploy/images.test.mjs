// Dockerfiles: that they agree with the option tables, with each other and with what the README's docker lines assume.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { environmentOf, optionsOf, projectRoot, readDockerfile, readText, textsOf } from './files.mjs';

const SYSTEM_VARIABLES = ['HOME', 'TMPDIR', 'MOZ_ASSUME_USER_NS'];
const images = ['controller', 'worker'].map((program) => {
  const file = readDockerfile(`Dockerfile.${program}`);
  return { program, file, last: file.stages.at(-1) };
});
const [controller, worker] = images;

for (const { program, file, last } of images) {
  test(`the ${program} image sets only variables that the ${program} knows`, () => {
    const known = [...optionsOf(program).keys(), ...SYSTEM_VARIABLES];
    assert.deepEqual(Object.keys(environmentOf(last)).filter((name) => !known.includes(name)), []);
  });

  test(`the ${program} image runs its program directly, as a numbered user who isn't root, and stops on TERM`, () => {
    assert.deepEqual(textsOf(last, 'ENTRYPOINT'), [`["tini", "--", "${program}"]`]);
    assert.deepEqual(textsOf(last, 'USER'), ['10001:10001']);
    assert.deepEqual(textsOf(last, 'STOPSIGNAL'), ['SIGTERM']);
  });

  test(`the ${program} image is made of the same Debian in all stages, 12 unless told otherwise`, () => {
    assert.deepEqual(file.args, [{ word: 'ARG', text: 'DEBIAN=bookworm' }]);
    const names = file.stages.map((stage) => stage.name);
    for (const { base } of file.stages) assert.ok(base === 'debian:${DEBIAN}-slim' || names.includes(base), base);
    assert.equal(last.base, 'debian:${DEBIAN}-slim');
  });

  test(`what the ${program} image copies exists and is in the context`, () => {
    const ignored = readText('.dockerignore').split('\n');
    const args = new Map(file.stages.flatMap((stage) => textsOf(stage, 'ARG')).map((text) => text.split('=')));
    const copies = file.stages.flatMap((stage) => textsOf(stage, 'COPY')).filter((text) => !text.startsWith('--from='));
    assert.ok(copies.length > 0);
    for (const source of copies.flatMap((text) => text.split(/\s+/).slice(0, -1))) {
      const path = source.replace(/\$\{(\w+)\}/g, (_, name) => args.get(name));
      assert.ok(existsSync(join(projectRoot, path)), path);
      assert.ok(!ignored.includes(path.split('/')[0]), path);
    }
  });
}

test('the two images share the stages that are built from source', () => {
  const shared = (file) => file.stages.filter((stage) => ['tools', 'build'].includes(stage.name));
  assert.equal(shared(controller.file).length, 2);
  assert.deepEqual(shared(controller.file), shared(worker.file));
});

test('the stages build all that CMakeLists.txt adds, except for the tests', () => {
  const build = controller.file.stages.find((stage) => stage.name === 'build');
  const copied = textsOf(build, 'COPY').map((text) => text.split(' ')[0]);
  const added = [...readText('CMakeLists.txt').matchAll(/add_subdirectory\((\w+)\)/g)].map(([, name]) => name);
  for (const folder of added.filter((name) => name !== 'tests')) assert.ok(copied.includes(folder), folder);
});

test('the controller is reachable from outside its container, on the ports that it exposes', () => {
  const environment = environmentOf(controller.last);
  const options = optionsOf('controller');
  assert.equal(environment.FUNKYTOWN_HTTP_BIND, '0.0.0.0');
  assert.equal(environment.FUNKYTOWN_REDIS_BIND, '0.0.0.0');
  assert.deepEqual(textsOf(controller.last, 'EXPOSE'), [`${options.get('FUNKYTOWN_HTTP_PORT')} ${options.get('REDIS_PORT')}`]);
});

test("the controller's data are in a volume of its user, and its spec map is in the image", () => {
  const environment = environmentOf(controller.last);
  assert.deepEqual(textsOf(controller.last, 'VOLUME'), [environment.FUNKYTOWN_DATA_DIR]);
  assert.ok(textsOf(controller.last, 'RUN').some((text) => text.includes(`install -d -o funkytown -g funkytown ${environment.FUNKYTOWN_DATA_DIR}`)));
  assert.ok(textsOf(controller.last, 'COPY').some((text) => text.endsWith(` ${environment.GROUP_TASKS_FILE}`)));
});

test('the worker finds a container named controller, and the specs', () => {
  const environment = environmentOf(worker.last);
  assert.equal(environment.REDIS_HOST, 'controller');
  assert.equal(environment.REDIS_PORT, optionsOf('controller').get('REDIS_PORT'));
  assert.equal(environment.HOME, environment.TMPDIR); // one folder that has to be writable, not two
  assert.ok(textsOf(worker.last, 'COPY').includes(`--from=specs ${environment.SPEC_ROOT} ${environment.SPEC_ROOT}`));
});
