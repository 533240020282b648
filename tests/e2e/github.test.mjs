// In a step of GitHub Actions: annotations, the step's summary, and no command that a spec made up is obeyed.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage } from './harness.mjs';

// The commands that GitHub's runner would obey, in both of their forms: https://github.com/actions/runner, ActionCommand.cs.
function obeyed(output) {
  const commands = [];
  let token;
  for (const line of output.split('\n')) {
    const [, name, properties, data] = line.trimStart().match(/^::([^ :]+)(?: ([^:]*))?::(.*)$/) ?? line.match(/##\[([^\] ]+)([^\]]*)\](.*)$/) ?? [];
    if (token !== undefined) {
      if (name === token) token = undefined;
    } else if (name === 'stop-commands') {
      token = data;
    } else if (name) {
      commands.push({ name, properties, data });
    }
  }
  assert.equal(token, undefined, 'commands are obeyed again in the end');
  return commands;
}

const EVIL = '::set-output name=token::evil';

function layStage(t, stage, more = {}) {
  const event = { event: 'test', spec: 'a', title: [EVIL, '##[add-path]/tmp'], status: 'failed', duration_ms: 1, file: 'a', line: 7,
    error: { message: `${EVIL}\n${EVIL}\n##[add-path]/tmp`, expected: EVIL, received: EVIL } };
  stage.file('events.ndjson', `${JSON.stringify(event)}\n`);
  const summary = stage.file('summary.md', 'of another program\n');
  return { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary, GITHUB_WORKSPACE: stage.folder, SPEC_ROOT: stage.specs, ...more };
}

const FAILS = `echo '${EVIL}'; [ "$FUNKYTOWN_SPEC" = b ] || { cat "$HOME/events.ndjson" >"$FUNKYTOWN_EVENTS"; exit 1; }`;

test('failures are annotations and a summary; what specs say is no command', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const env = layStage(t, stage);
  const map = stage.map(FAILS, ['a', 'b'], { groups: [{ name: EVIL.replaceAll(' ', '_').replaceAll(':', '.'), runner: 'script', tasks: ['a', 'b'].map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] })) }] });
  const controller = stage.controller(['--once', map], env);
  stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  assert.match(controller.stdout, /^ {4}::set-output/m, 'it is printed, after all');
  const commands = obeyed(controller.stdout);
  assert.deepEqual(commands.map(({ name }) => name), ['error']);
  assert.match(commands[0].properties, /^file=specs\/a,line=7,title=1 test in 1 task%3A %3A%3Aset-output/);
  assert.match(commands[0].data, /^::set-output name=token::evil%0A/);
  const summary = readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8');
  assert.match(summary, /^of another program\n## ✗ failed: 1 cause, 1 test in 1 task\n/);
  assert.match(summary, /: 2 tasks, 1 passed, 1 failed in /);
  assert.deepEqual(obeyed(summary), []);
});

test('the token is another one each time, and elsewhere nothing of this is printed', async (t) => {
  const tokens = new Set();
  for (const actions of ['true', 'true', 'false', '']) {
    const stage = new Stage(t);
    await stage.startRedis();
    const env = layStage(t, stage, { GITHUB_ACTIONS: actions });
    const controller = stage.controller(['--once', stage.map(FAILS, ['b'])], env);
    stage.worker();
    assert.equal(await controller.exit(), 0, controller.output);
    const token = controller.stdout.match(/^::stop-commands::([0-9a-f]{32})\n/)?.[1];
    assert.equal(token !== undefined, actions === 'true');
    assert.equal(controller.stdout.endsWith(`::${token}::\n`), actions === 'true');
    assert.equal(/## ✓ passed/.test(readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8')), actions === 'true');
    if (token) tokens.add(token);
  }
  assert.equal(tokens.size, 2);
});

test('a table of what would be run is no command, and a start that fails leaves commands obeyed', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const env = layStage(t, stage);
  const dry = stage.controller(['--dry-run', stage.map('exit 0', ['::warning::b'])], env);
  assert.equal(await dry.exit(), 0, dry.output);
  assert.match(dry.stdout, /::warning::b/);
  assert.deepEqual(obeyed(dry.stdout), []);
  const refused = stage.controller(['--http-bind', 'no-such-host.invalid', stage.map('exit 0', ['a'])], env);
  assert.equal(await refused.exit(), 2, refused.output);
  assert.deepEqual(obeyed(refused.stdout), []);
});

test('paths are those of the work tree; a summary that is full or cannot be written changes no verdict', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(FAILS, ['a', 'b']);
  const env = layStage(t, stage);
  mkdirSync(join(stage.specs, 'sub/.git'), { recursive: true });
  mkdirSync(join(stage.specs, 'sub/e2e'));
  writeFileSync(env.GITHUB_STEP_SUMMARY, 'x'.repeat(900 * 1024));
  for (const [summary, complains] of [[env.GITHUB_STEP_SUMMARY, false], [stage.folder, true]]) {
    const controller = stage.controller(['--once', map], { ...env, SPEC_ROOT: join(stage.specs, 'sub/e2e'), GITHUB_STEP_SUMMARY: summary });
    stage.worker();
    assert.equal(await controller.exit(), 1, controller.output);
    assert.match(obeyed(controller.stdout)[0].properties, /^file=e2e\/a,line=7,/);
    assert.equal(/event=summary\.unwritten .*Is a directory/.test(controller.stderr), complains);
  }
  assert.equal(statSync(env.GITHUB_STEP_SUMMARY).size, 900 * 1024);
});
