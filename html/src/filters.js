// Which tasks a reader wants to see. A filter is compiled against the string tables, once for each
// distinct spec, message or worker; a task then costs a few array reads. Tables that grow while the
// run is live are compiled as far as they have grown. Pure.

import { hasCause } from './errors.js';
import { shownStatus } from './retrying.js';
import { failuresOf } from './run.js';
import { SHOWN, statusNumber } from './status.js';
import { oneLine } from './text.js';

export const NO_FILTER = Object.freeze({ text: '', statuses: 0, browser: '', viewport: '', group: '', error: '' });

export const isUnfiltered = (filter) => Object.keys(NO_FILTER).every((key) => filter[key] === NO_FILTER[key]);

export const hasStatus = (filter, status) => (filter.statuses & (1 << status)) !== 0;

export const toggleStatus = (filter, status) => ({ ...filter, statuses: filter.statuses ^ (1 << status) });

export const statusNames = (mask) => SHOWN.filter((_, number) => mask & (1 << number)).map((status) => status.name);

export function statusMask(names) {
  return names.map(statusNumber).filter((number) => number >= 0).reduce((mask, number) => mask | (1 << number), 0);
}

/** A function row -> does it match. It follows the run as that changes; a new filter needs a new one. */
export function compileFilter(run, filter) {
  const tests = [];
  if (filter.statuses) tests.push((row) => (filter.statuses & (1 << shownStatus(run, row))) !== 0);
  for (const [column, table] of [['browser', 'browsers'], ['viewport', 'viewports'], ['group', 'groups']]) {
    if (!filter[column]) continue;
    const wanted = run.tables[table].indexOf(filter[column]);
    tests.push((row) => run[column][row] === wanted);
  }
  if (filter.error) tests.push((row) => hasCause(run, row, filter.error));
  for (const term of filter.text.toLowerCase().split(/\s+/u).filter(Boolean)) tests.push(compileTerm(run, term));
  return tests.length === 1 ? tests[0] : (row) => tests.every((test) => test(row));
}

// Each term has to occur in some field. Keys are not stored: the group is a field already, so only a term with
// a colon can ask for more of a key than that.
function compileTerm(run, term) {
  const fields = ['spec', 'group', 'viewport', 'browser', 'worker', 'message'].map((column) => {
    const table = run.tables[`${column}s`];
    const matches = lookup(table, (_, number) => searchText(table, number).includes(term));
    return (row) => matches(run[column][row]);
  });
  const isInText = memo((text) => oneLine(text).toLowerCase().includes(term));
  fields.push((row) => failuresOf(run, row).some((failure) => FAILURE_TEXTS.some((name) => isInText(failure[name]))));
  if (term.includes(':')) {
    const prefixes = run.tables.groups.map((group) => `task:${group.toLowerCase()}:`);
    fields.push((row) => `${prefixes[run.group[row]]}${run.number[row]}`.includes(term));
  }
  return (row) => fields.some((field) => field(row));
}

const FAILURE_TEXTS = ['title', 'message', 'expected', 'received', 'file'];

function memo(test) {
  const answers = new Map();
  return (text) => {
    if (!answers.has(text)) answers.set(text, test(text));
    return answers.get(text);
  };
}

// Tables only grow, so what was prepared for one filter serves the next.
const searchTexts = new WeakMap();

function searchText(table, number) {
  if (!searchTexts.has(table)) searchTexts.set(table, []);
  return (searchTexts.get(table)[number] ??= oneLine(table[number]).toLowerCase());
}

// Answers per table entry, worked out at the first question and kept.
function lookup(table, test) {
  const answers = [];
  return (number) => {
    if (number < 0) return false;
    answers[number] ??= test(table[number], number);
    return answers[number];
  };
}
