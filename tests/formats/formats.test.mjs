// The files of a run, read by readers that are not ours: junitparser (Python), junit2json, and CTRF's own validator. A
// real run of every kind of task makes them, and all of them have to count what the API counts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, after, test } from 'node:test';
import { isValid, parse as parseCtrf, validate } from 'ctrf';
import { parse as parseJunit } from 'junit2json';
import { Stage } from '../e2e/harness.mjs';

const event = (title, status, more = {}) =>
  `printf '%s\\n' '${JSON.stringify({ event: 'test', title, status, duration_ms: 12, file: 'spec.ts', line: 7, ...more })}' >"$FUNKYTOWN_EVENTS"`;
const FAILURE = { error: { message: 'expected <b> & "c"\u001b[31m red', expected: '1', received: '2', stack: 'at spec.ts:7' } };
const DONE = `printf '%s\\n' '${JSON.stringify({ event: 'spec', status: 'passed' })}' >"$FUNKYTOWN_EVENTS"`;
const SCRIPT = `
printf 'the output of %s \\033[1m]]>\\001\\n' "$FUNKYTOWN_SPEC"
case $FUNKYTOWN_SPEC in
  good) ${event(['cart', 'adds'], 'passed')}; ${event(['cart', 'adds'], 'passed')}; ${event(['later'], 'skipped')}; ${DONE};;
  bad) ${event(['cart', 'pays'], 'failed', FAILURE)}; ${event(['cart', 'adds'], 'passed')}; exit 1;;
  flaky) [ -e "$HOME/tried" ] && { ${event(['wobbles'], 'passed')}; ${DONE}; exit 0; }; : >"$HOME/tried"; ${event(['wobbles'], 'failed', FAILURE)}; exit 1;;
  retried) ${event(['by the runner'], 'flaky', FAILURE)}; ${DONE};;
  broken) ${event(['before it broke'], 'passed')}; kill -9 $$;;
  skipped) exit 77;;
  plain-bad) exit 1;;
esac`;

// Debian's own, which has the package.
const readPython = (path) => JSON.parse(execFileSync('/usr/bin/python3', ['-c', `
import json, sys
from junitparser import JUnitXml, Failure, Error, Skipped
cases = []
for suite in JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        kinds = [type(result).__name__.lower() for result in case.result]
        cases.append({"name": case.name, "classname": case.classname, "kind": kinds[0] if kinds else "passed",
                      "message": case.result[0].message if kinds else None, "out": case.system_out,
                      "flaky": case._elem.find("flakyFailure") is not None})
print(json.dumps(cases))`, path], { encoding: 'utf8' }));

let stage, folder, summary, ended = [];

before(async () => {
  stage = new Stage({ after: (close) => ended.push(close) });
  await stage.startRedis();
  const map = stage.map(SCRIPT, ['good', 'bad', 'flaky', 'retried', 'broken', 'skipped', 'plain-bad', 'plain'], {
    runners: { script: { argv: [join(stage.folder, 'runner.sh')], exit: { 77: 'skipped' } } },
  });
  const controller = stage.controller([map], { FUNKYTOWN_RETRIES: '1', FUNKYTOWN_RUN_ID: 'of all/kinds' });
  stage.worker();
  await controller.says(/^files: /m);
  summary = await stage.api(controller, '');
  folder = join(stage.folder, '.funkytown/report/of_all_kinds');
  stage.served = async (name) => (await fetch(`${await stage.url(controller)}/api/v1/runs/current/${name}`)).text();
});

after(() => Promise.all(ended.map((close) => close())));

const read = (name) => readFileSync(join(folder, name), 'utf8');
const count = (list, wanted) => list.filter(wanted).length;

test('the folder holds them, and latest leads to it', () => {
  assert.deepEqual(readdirSync(folder).sort(), ['failed.txt', 'junit.xml', 'report.html', 'results.json']);
  assert.equal(readlinkSync(join(stage.folder, '.funkytown/report/latest')), 'of_all_kinds');
});

test('junitparser reads junit.xml, and its cases are the tests and what no test explains', () => {
  const cases = readPython(join(folder, 'junit.xml'));
  const of = (spec) => cases.filter(({ classname }) => classname === `g.${spec}`);
  assert.deepEqual(of('good').map(({ name, kind }) => [name, kind]), [
    ['cart › adds [desktop chrome]', 'passed'], ['cart › adds (2) [desktop chrome]', 'passed'], ['later [desktop chrome]', 'skipped'],
  ]);
  assert.deepEqual(of('bad').map(({ name, kind }) => [name, kind]), [['cart › pays [desktop chrome]', 'failure'], ['cart › adds [desktop chrome]', 'passed']]);
  assert.match(of('bad')[0].out, /^the output of bad \]\]>\n/, 'without colours and what XML cannot hold');
  assert.match(of('bad')[0].message, /^expected <b> & "c"/);
  assert.deepEqual(of('flaky').map(({ name, kind, flaky }) => [name, kind, flaky]), [['wobbles [desktop chrome]', 'passed', true]]);
  assert.deepEqual(of('retried').map(({ flaky }) => flaky), [true]);
  assert.deepEqual(of('broken').map(({ name, kind, message }) => [name, kind, message]), [
    ['before it broke [desktop chrome]', 'passed', null], ['broken [desktop chrome]', 'error', 'signal 9'],
  ]);
  assert.deepEqual(of('skipped').map(({ kind }) => kind), ['skipped']);
  assert.deepEqual(of('plain-bad').map(({ kind, message }) => [kind, message]), [['failure', 'exit 1']]);
  assert.deepEqual(of('plain').map(({ kind }) => kind), ['passed']);
  const names = cases.map(({ classname, name }) => `${classname} ${name}`);
  assert.equal(new Set(names).size, names.length, 'no two cases of one name');
});

test('every format counts what the API counts', async () => {
  const cases = readPython(join(folder, 'junit.xml'));
  const ctrf = parseCtrf(read('results.json'));
  assert.deepEqual(validate(ctrf).errors ?? [], []);
  assert.ok(isValid(ctrf));
  const { tests, counts } = summary;
  // Tests are the API's; a task that no test explains is one case more.
  const all = ctrf.results.tests, own = all.filter(({ extra }) => !extra.is_task);
  const isFlaky = ({ flaky }) => flaky === true;
  assert.equal(count(own, ({ status }) => status === 'failed'), tests.failed);
  assert.equal(count(own, ({ status }) => status === 'skipped'), tests.skipped);
  assert.equal(count(own, ({ status }) => status === 'passed'), tests.passed + tests.flaky);
  assert.equal(count(all, ({ rawStatus }) => rawStatus === 'error'), counts.error);
  assert.equal(new Set(all.filter(({ status }) => status === 'failed').map(({ extra }) => extra.task)).size, counts.failed + counts.error);
  // Each of the others has the same cases.
  const { results: { summary: totals } } = ctrf;
  assert.equal(totals.tests, cases.length);
  assert.equal(totals.failed, count(cases, ({ kind }) => kind === 'failure' || kind === 'error'));
  assert.equal(totals.skipped, count(cases, ({ kind }) => kind === 'skipped'));
  assert.equal(totals.flaky, count(cases, isFlaky));
  assert.deepEqual(totals.extra.counts, counts);
  const junit = await parseJunit(read('junit.xml'));
  const suites = junit.testsuite;
  assert.equal(suites.reduce((sum, { tests: number }) => sum + Number(number), 0), cases.length);
  assert.equal(suites.reduce((sum, { failures, errors }) => sum + Number(failures) + Number(errors), 0), totals.failed);
  assert.equal(read('failed.txt').trim().split('\n').length, totals.failed);
});

test('failed.txt has the place first', () => {
  assert.equal(read('failed.txt').split('\n')[0], 'spec.ts:7: cart › pays [desktop chrome] (task:g:1): expected <b> & "c"\\u001b[31m red');
});

test('they are served as they were written', async () => {
  for (const name of ['junit.xml', 'failed.txt']) assert.equal(await stage.served(name), read(name));
  assert.deepEqual(JSON.parse(await stage.served('results.json')).results.tests, JSON.parse(read('results.json')).results.tests);
});
