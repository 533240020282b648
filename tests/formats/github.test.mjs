// The summary of a step of GitHub Actions, read by a reader of Markdown that is not ours, with tables, HTML and links as
// GitHub's has them: whatever specs say is the text of one cell, and the counts are those of the other files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import MarkdownIt from 'markdown-it';
import { Stage } from '../e2e/harness.mjs';

const NASTY = [
  'a|b || c \\| d',
  '`code`, ``` and ~~~',
  '</code></td></table></details><script>alert(1)</script><img src=x onerror=alert(1)>',
  '[link](https://evil.example) ![](https://evil.example/p.png) https://evil.example www.evil.example <https://evil.example>',
  '**bold** _it_ ~~gone~~ # head - list &lt;b&gt; &#124; \\',
];
const TEXTS = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };
const textOf = (html) => html.replace(/<\/?code>/g, '').replace(/<br>/g, '\n').replace(/&(lt|gt|amp|quot);/g, (entity) => TEXTS[entity]);

// Each table as its rows, those as the texts of their cells.
function tablesOf(html) {
  return [...html.matchAll(/<table>(.*?)<\/table>/gs)].map(([, table]) =>
    [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => [...row.matchAll(/<t[dh]>(.*?)<\/t[dh]>/gs)].map(([, cell]) => textOf(cell))));
}

test('a summary is two tables of text', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const events = NASTY.map((text) => ({ event: 'test', title: [text], status: 'failed', duration_ms: 1, file: 'a.ts', line: 7, error: { message: `${text}\nsecond` } }));
  stage.file('events.ndjson', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const map = stage.map('[ "$FUNKYTOWN_SPEC" = good ] && exit 0; [ "$FUNKYTOWN_SPEC" = broken ] && exit 9; cat "$HOME/events.ndjson" >"$FUNKYTOWN_EVENTS"; exit 1', ['bad', 'broken', 'good']);
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(stage.folder, 'summary.md'), FUNKYTOWN_REPORT_DIR: join(stage.folder, 'report') };
  const controller = stage.controller(['--once', map], env);
  stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  const html = new MarkdownIt({ html: true, linkify: true }).render(readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8'));

  assert.deepEqual([...new Set(html.match(/<\/?[a-z0-9]+/g))].filter((tag) => !/^<\/?(h2|p|code|br|table|thead|tbody|tr|th|td|details|summary)$/.test(tag)), []);
  const [[, ...causes], [, ...failures], ...more] = tablesOf(html);
  assert.deepEqual(more, []);
  assert.deepEqual(causes.map(([message, count]) => [message, count]), [...NASTY.map((text) => [`${text}\nsecond`, '1 test in 1 task']), ['exit 9', '1 task']]);
  assert.deepEqual(failures.map(([title, task]) => [title, task]), [...NASTY.map((text) => [text, 'g › bad [desktop chrome]']), ['(the task itself)', 'g › broken [desktop chrome]']]);
  assert.equal(failures.length, readFileSync(join(env.FUNKYTOWN_REPORT_DIR, 'failed.txt'), 'utf8').trim().split('\n').length);
  assert.match(html, /<h2>✗ failed: 6 causes, 5 tests in 2 tasks<\/h2>/);
});
