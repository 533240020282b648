import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeContact } from '../../../html/src/contact.js';
import { formatBytes, formatClock, formatDuration, formatEta, formatPercent, formatTimeOfDay, plural } from '../../../html/src/format.js';
import { headlineOf, headlineText } from '../../../html/src/headline.js';
import { githubTemplate, isTemplate, linkTo } from '../../../html/src/links.js';
import { actionOf } from '../../../html/src/keyboard.js';
import { describeSource } from '../../../html/src/source.js';
import { BY_PROGRESS, BY_URGENCY, SHOWN, STATUSES, TESTS, byUrgency, outcomeOf } from '../../../html/src/status.js';
import { describeRun } from '../../../html/src/verdict.js';
import { scrollToReveal, visibleRange } from '../../../html/src/window.js';
import { runOf, summaryOf } from './runs.mjs';

test('durations', () => {
  assert.deepEqual([0, 812, 3100, 9949, 9950, 59400, 72000, 3599600, 3720000].map(formatDuration), ['0ms', '812ms', '3.1s', '9.9s', '10s', '59s', '1m 12s', '1h 00m', '1h 02m']);
  assert.equal(formatClock(-5), '0s');
});

test('time left, bytes, shares, plurals', () => {
  assert.deepEqual([[1, 2], [11, 14], [38, 42], [118, 185], [100, 110], [5000, 9000]].map(formatEta), ['0–5s', '10–15s', 'about 40s', '2–3 min', 'about 2 min', '1.4–2.5 h']);
  assert.deepEqual([0, 1023, 1536, 204800, 5e6].map(formatBytes), ['0 B', '1023 B', '1.5 KiB', '200 KiB', '4.8 MiB']);
  assert.equal(formatPercent(0.923), '92%');
  assert.deepEqual([plural(1, 'task'), plural(2, 'task'), plural(0, 'task'), plural(2, 'process', 'processes')], ['1 task', '2 tasks', '0 tasks', '2 processes']);
});

test('every state has its place in both orders', () => {
  assert.deepEqual([...BY_URGENCY].sort(), [...SHOWN.keys()]);
  assert.deepEqual([...BY_PROGRESS].sort(), [...STATUSES.keys()]);
  assert.deepEqual(Object.keys(TESTS).sort(byUrgency), ['failed', 'flaky', 'passed', 'skipped']);
});

test('an outcome without a word of ours is shown as it came', () => {
  assert.deepEqual(outcomeOf('lost'), { name: 'error', word: 'Worker lost' });
  for (const word of ['running', 'constructor', '']) assert.deepEqual(outcomeOf(word), { name: 'cancelled', word });
});

const described = (summary) => { const { tone, word, sentence, title } = describeRun(summary && summaryOf(summary)); return [tone, word, sentence, title]; };

test('no run yet', () => {
  assert.deepEqual(described(null), ['waiting', 'Waiting', '', '… waiting · funkytown']);
});

test('a run that goes on says whether something has failed', () => {
  assert.deepEqual(described({ counts: { total: 52, queued: 52 } }), ['running', 'Running', 'Nothing has ended yet', '▸ running · 0/52 · funkytown']);
  assert.deepEqual(described({ counts: { total: 52, passed: 40, queued: 12 } }), ['running', 'Running', 'No failures so far', '▸ running · 40/52 · funkytown']);
  assert.deepEqual(described({ counts: { total: 52, passed: 37, failed: 3, queued: 12 } }), ['failing', 'Running', '3 failed so far', '✗ 3 failed · 40/52 · funkytown']);
});

test('the verdict is the controller\'s', () => {
  const over = (verdict, counts, state = 'finished') => described({ state, verdict, counts });
  assert.deepEqual(over('passed', { total: 5, passed: 5 }), ['passed', 'Passed', 'All 5 tasks passed', '✓ passed · 5/5 · funkytown']);
  assert.deepEqual(over('passed', { total: 5, passed: 3, flaky: 2 })[2], 'All 5 tasks passed, 2 of them only when tried again');
  assert.deepEqual(over('passed', { total: 5, passed: 3, skipped: 2 }), ['passed', 'Passed', '3 of 5 tasks passed; 2 skipped', '✓ passed · 5/5 · funkytown']);
  assert.deepEqual(over('passed', { total: 9, passed: 3, flaky: 2, skipped: 4 })[2], '5 of 9 tasks passed, 2 of them only when tried again; 4 skipped');
  assert.deepEqual(over('skipped', { total: 5, skipped: 5 }), ['skipped', 'Skipped', 'All 5 tasks were skipped: nothing was tested', '» skipped · 5/5 · funkytown']);
  assert.equal(over('skipped', { total: 1, skipped: 1 })[2], 'The one task was skipped: nothing was tested');
  assert.deepEqual(over('failed', { total: 5, passed: 2, failed: 2, error: 1 }), ['failed', 'Failed', '2 failed, 1 error of 5 tasks', '✗ 2 failed, 1 error · 5/5 · funkytown']);
  assert.deepEqual(over('error', { total: 2, error: 2 }), ['error', 'Error', '2 errors of 2 tasks', '! 2 errors · 2/2 · funkytown']);
  assert.deepEqual(over('cancelled', { total: 5, passed: 2, cancelled: 3 }, 'cancelled'), ['cancelled', 'Cancelled', '3 tasks of 5 did not run', '⊘ cancelled · 5/5 · funkytown']);
});

test('failures are counted by their causes, where these are known', () => {
  const sentence = (summary, told) => describeRun(summaryOf(summary), {}, { causes: 3, tests: 18, isLeast: false, ...told }).sentence;
  const half = { counts: { total: 52, passed: 37, failed: 9, error: 1, queued: 5 } };
  const over = { ...half, state: 'finished', verdict: 'failed' };
  assert.equal(sentence(half), '3 causes, 18 tests in 10 tasks so far');
  assert.equal(sentence(over), '3 causes, 18 tests in 10 of 52 tasks');
  assert.equal(sentence(over, { causes: 1, tests: 1 }), '1 cause, 1 test in 10 of 52 tasks');
  assert.equal(sentence(over, { tests: 0 }), '3 causes in 10 of 52 tasks');
  assert.equal(sentence(over, { isLeast: true }), 'at least 3 causes, 18 tests in 10 of 52 tasks');
  assert.equal(sentence(half, { retrying: { all: 2 } }), '3 causes, 18 tests in 10 tasks so far; 2 retrying');
  assert.equal(sentence({ counts: { total: 5, passed: 1, queued: 4 } }, { causes: 0, retrying: { all: 1 } }), 'No failures so far; 1 retrying');
  assert.equal(sentence(over, { causes: 0 }), '9 failed, 1 error of 52 tasks');
});

const SINCE = Date.UTC(2026, 10, 24, 14, 2, 31);
const lost = { phase: 'lost', since: SINCE, gone: true };
const ended = { phase: 'ended', since: SINCE, gone: true };

test('nobody says that a run goes on when nobody knows', () => {
  const words = (summary, contact) => { const { tone, word, sentence, title } = describeRun(summaryOf(summary), contact); return [tone, word, sentence, title]; };
  const half = { counts: { total: 52, passed: 37, failed: 3, queued: 12 } };
  assert.deepEqual(words(half, { ...lost, gone: false })[1], 'Running');
  assert.deepEqual(words(half, lost), ['lost', 'No contact', '40 of 52 tasks done, 3 failed until then', '? no contact · 40/52 · funkytown']);
  assert.deepEqual(words({ counts: { total: 1, queued: 1 } }, ended), ['interrupted', 'Interrupted', '0 of 1 task done, no failures until then', '‖ interrupted · 0/1 · funkytown']);
  for (const contact of [lost, ended]) {
    assert.deepEqual(words({ state: 'finished', verdict: 'failed', counts: { total: 5, failed: 5 } }, contact), ['failed', 'Failed', '5 failed of 5 tasks', '✗ 5 failed · 5/5 · funkytown']);
  }
});

test('what is said of the controller', () => {
  const running = summaryOf({ counts: { total: 2, queued: 2 } });
  const finished = summaryOf({ state: 'finished', verdict: 'passed', counts: { total: 2, passed: 2 } });
  const time = formatTimeOfDay(SINCE);
  assert.equal(describeContact(null, lost), '');
  assert.equal(describeContact(running, { ...lost, gone: false }), '');
  assert.equal(describeContact(running, lost), `The controller has been gone since ${time}. What you see is as of then; trying to reach it.`);
  assert.match(describeContact(running, ended), /^The controller was stopped at .*, before the run was finished\. When it is started again, it goes on/);
  assert.equal(describeContact(finished, ended), 'The controller has ended. The verdict stays: Passed.');
  assert.equal(describeContact(finished, lost), `The controller has ended or can’t be reached, since ${time}. The verdict stays: Passed.`);
  assert.match(describeContact(running, { ...lost, phase: 'waiting' }), /^A controller is back/);
});

test('the source: a short name, and a link if it leads to the web', () => {
  const sha = '4f2a9c01be77d3a5c1e0b9f8a7d6c5b4a3f2e1d0';
  assert.equal(describeSource(undefined), null);
  assert.equal(describeSource(null), null);
  assert.deepEqual(describeSource({ id: sha, branch: 'main', url: 'https://ci.example/runs/7' }), { branch: 'main', id: '4f2a9c01be', title: sha, href: 'https://ci.example/runs/7' });
  assert.equal(describeSource({ id: `${sha}+${sha}`, branch: null, url: null }).id, '4f2a9c01be+4f2a9c01be');
  assert.equal(describeSource({ id: 'release 2026-11', branch: null, url: null }).id, 'release 2026-11');
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'ftp://x/', '//x', 'ci.example', '', null, ' \u0000']) assert.equal(describeSource({ id: 'a', branch: null, url }).href, '', url);
});

test('keys are the page\'s, except where somebody types or a control wants them', () => {
  const key = (name, target = {}, more = {}) => actionOf({ key: name, target, ...more });
  assert.equal(key('/'), 'filter');
  assert.equal(key('n'), 'nextFailure');
  assert.equal(key('n', { tagName: 'INPUT', type: 'search' }), null);
  assert.equal(key('n', { tagName: 'INPUT', type: 'checkbox' }), 'nextFailure');
  assert.equal(key('Escape', { tagName: 'INPUT', type: 'search' }), 'escape');
  assert.equal(key('Enter', { tagName: 'BUTTON' }), null);
  assert.equal(key('Enter', { tagName: 'BODY' }), 'open');
  assert.equal(key('n', {}, { ctrlKey: true }), null);
  assert.equal(key('x'), null);
});

test('the rows on the screen, with some to spare', () => {
  assert.deepEqual(visibleRange(100000, 32, -300, 900), [0, 27]);
  assert.deepEqual(visibleRange(100000, 32, 32000, 960), [992, 1038]);
  assert.deepEqual(visibleRange(10, 32, 0, 900), [0, 10]);
  assert.deepEqual(visibleRange(10, 32, 99999, 900), [10, 10]);
  assert.deepEqual(visibleRange(0, 32, -300, 900), [0, 0]);
});

test('scrolling no further than it takes', () => {
  assert.equal(scrollToReveal(5, 32, 0, 900), 0);
  assert.equal(scrollToReveal(5, 32, 200, 900), -40);
  assert.equal(scrollToReveal(50, 32, 0, 900), 732);
});

test('what is wrong with a task, in one line', () => {
  const line = (...failures) => headlineText(headlineOf(runOf([{ message: 'exit\n1', status: 3 }], { failures: failures.map((failure) => [0, ...failure]) }), 0));
  assert.equal(line(), 'exit 1');
  assert.equal(line(['cart › adds', 'not\nequal', '3', '2']), 'cart › adds: expected 3, received 2');
  assert.equal(line(['cart › adds', '\u001b[31mnot\u001b[39m\nequal', '3']), 'cart › adds: not equal');
  assert.equal(line(['cart › adds', 'not equal', 'x'.repeat(80), '2']), 'cart › adds: not equal');
  assert.equal(line(['cart › adds', null, '3', '3']), 'cart › adds: exit 1');
  assert.equal(line([null, 'timeout'], ['b', 'c'], ['d', 'e']), 'timeout, and 2 more');
});

test('links to files: GitHub at the commit that was tested, or what the reader says; to the web and editors alone', () => {
  const id = '4f2a9c01be77d3a5c1e0b9f8a7d6c5b4a3f2e1d0';
  const github = githubTemplate({ id, url: 'https://github.com/o/r.js/actions/runs/1' });
  assert.equal(linkTo(github, { file: 'a b/c#.ts', line: 7 }), `https://github.com/o/r.js/blob/${id}/a%20b/c%23.ts#L7`);
  for (const source of [null, { id, url: null }, { id: `${id}+${id}`, url: 'https://github.com/o/r' }, { id, url: 'https://github.com.evil.example/o/r' }, { id, url: 'https://gitlab.com/o/r' }, { id: 'main', url: 'https://github.com/o/r' }]) {
    assert.equal(githubTemplate(source), '', JSON.stringify(source));
  }
  assert.equal(linkTo('vscode://file/home/me/{file}:{line}:{column}', { file: 'a.ts', line: 7, column: 3 }), 'vscode://file/home/me/a.ts:7:3');
  assert.equal(linkTo('vscode://file/{file}:{line}', { file: '$&.ts' }), 'vscode://file/%24%26.ts:1');
  for (const template of ['javascript:{file}', 'data:text/html,{file}', 'file:///{file}', 'vscode://file/', '{file}', '']) assert.ok(!isTemplate(template), template);
  assert.equal(linkTo(github, { file: '' }), '');
});
