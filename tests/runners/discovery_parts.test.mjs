// What the discovery of configurations stands on: Cypress' patterns, versions, and the line that says what is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorLine, isBefore } from '../../controller/discover/asking.mjs';
import { Filters } from '../../controller/discover/filters.mjs';
import { globToRegExp } from '../../controller/discover/glob.mjs';

test('patterns of paths', () => {
  for (const [pattern, matched, others] of [
    ['cypress/e2e/**/*.cy.{js,jsx,ts,tsx}', ['cypress/e2e/a.cy.js', 'cypress/e2e/b/c/a.cy.tsx'], ['cypress/e2e/a.js', 'x/cypress/e2e/a.cy.js', 'cypress/e2e/a.cy.jsxx']],
    ['**/*.cy.ts', ['a.cy.ts', 'b/a.cy.ts'], ['a.cy.tsx', 'acy.ts']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a']],
    ['*.js', ['a.js'], ['b/a.js']],
    ['[ab]?.js', ['a1.js', 'b2.js'], ['c1.js', 'a.js', 'a/.js']],
    ['[!a].js', ['b.js'], ['a.js']],
    ['{a,b/{c,d}}.js', ['a.js', 'b/c.js', 'b/d.js'], ['b.js', 'c.js']],
    ['!(dist|build)/*.js', ['src/a.js', 'distant/a.js'], ['dist/a.js', 'build/a.js']],
    ['@(a|b).js', ['a.js', 'b.js'], ['ab.js']],
    ['a+(b|c)', ['ab', 'abcb'], ['a']],
    ['a{b', ['a{b'], ['ab']],
    ['$(a).js', ['$(a).js'], ['a.js']],
  ]) {
    for (const path of matched) assert.ok(globToRegExp(pattern).test(path), `${pattern} ${path}`);
    for (const path of others) assert.ok(!globToRegExp(pattern).test(path), `${pattern} ${path}`);
  }
});

test('versions', () => {
  for (const [a, b, wanted] of [['1.62.9', '1.63', true], ['1.63.0', '1.63', false], ['1.63.0-beta', '1.63', false], ['1.100.0', '1.63', false], ['2.0.0', '1.63', false], ['1.9', '1.46', true]])
    assert.equal(isBefore(a, b), wanted, `${a} ${b}`);
});

test('the line that says what is wrong', () => {
  assert.equal(errorLine('\u001b[31mTypeError: x is not a function\u001b[0m\n    at a.js:1\n'), 'TypeError: x is not a function');
  assert.equal(errorLine('hello\nError [ERR_MODULE_NOT_FOUND]: Cannot find package "x"\n'), 'Error [ERR_MODULE_NOT_FOUND]: Cannot find package "x"');
  assert.equal(errorLine('one\ntwo\n\n'), 'two');
  assert.equal(errorLine(''), '');
});

test('a tag and a pattern together are one regular expression', () => {
  const read = (filters) => { const [, source, flags] = /^\/(.*)\/(\w*)$/s.exec(new Filters(filters).forPlaywright); return new RegExp(source, flags); };
  assert.ok(read({ grep: 'cart', tag: 'a.b' }).test('chromium x.spec.ts Cart adds @a.b'));
  assert.ok(!read({ grep: 'cart', tag: 'a.b' }).test('chromium x.spec.ts cart adds @a.bc'));
  assert.ok(!read({ grep: 'cart', tag: 'a.b' }).test('chromium x.spec.ts till @a.b'));
  assert.ok(!read({ grep: '/cart/', tag: 'a' }).test('chromium x.spec.ts Cart @a'));
});
