// What every reporter here has in common: clean text, and whole lines into the FIFO named by FUNKYTOWN_EVENTS.
//
// What it promises: a line is written whole and is at most 256 KiB long, whatever the test threw (steps, then attachments,
// then all of the error but its message, then titles are left out); text is valid UTF-8 without colours or control
// characters; with nobody at the other end of the FIFO, or no FIFO, it is silent and the run goes on undisturbed.
//
// The worker writes this file beside the reporters. Some runners load theirs with require(), so it is CommonJS.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');

const TEXT_BYTES = 16 * 1024;
const VALUE_BYTES = 4 * 1024;
const WORDS = 20; // tags, annotations and attachments of a test
const STEPS = 50;
const LINE_BYTES = 256 * 1024;

// ---- text

const ANSI = /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Plain text of at most so many bytes: what is too long keeps its beginning and its end. */
function plain(text, limit = TEXT_BYTES) {
  const bytes = Buffer.from(String(text).replace(/\r\n/g, '\n').replace(ANSI, '').replace(CONTROL, ''), 'utf8'); // lone surrogates become U+FFFD
  if (bytes.length <= limit) return bytes.toString('utf8');
  const head = limit * 0.75, tail = limit * 0.25 - 64;
  const cut = (part) => part.toString('utf8').replace(/^\uFFFD+|\uFFFD+$/g, ''); // a character that was cut in two
  return `${cut(bytes.subarray(0, head))}\n… ${bytes.length - head - tail} bytes left out …\n${cut(bytes.subarray(bytes.length - tail))}`;
}

const short = (text) => plain(text).slice(0, 1000);

/** A value that a test compared: texts as they are, the rest as Node shows it. */
const shown = (value) => plain(typeof value === 'string' ? value : inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: VALUE_BYTES }), VALUE_BYTES);

/** What Jest's matchers (Playwright's and WebdriverIO's too) say that they compared, if it stands in lines of its own. */
function comparedIn(message) {
  const after = (word) => new RegExp(`^${word}(?: [a-z]+)*: +(\\S.*)$`, 'm').exec(message)?.[1];
  const expected = after('Expected'), received = after('Received');
  return received === undefined ? {} : { expected: expected && plain(expected, VALUE_BYTES), received: plain(received, VALUE_BYTES) };
}

/** Words of titles that begin with @, each once. */
const tagsIn = (titles) => tagList(titles.flatMap((title) => title.match(/(?<!\S)@\S+/g) ?? []));

const tagList = (tags) => (tags.length > 0 ? [...new Set(tags)].slice(0, WORDS).map(short) : undefined);

/** Of { title, depth, duration, failed } the last ones, as events have them; undefined: there is none. */
function stepList(steps) {
  if (steps.length === 0) return undefined;
  return steps.slice(-STEPS).map(({ title, depth, duration, failed }) => ({
    title: plain(title, 512), depth: depth || undefined, duration_ms: Math.max(0, Math.round(duration)), failed: failed || undefined,
  }));
}

/** Relative to SPEC_ROOT, which is where the runner was started; absolute when it lies elsewhere. */
function relative(root, file) {
  const inside = path.relative(root, file);
  return (inside.startsWith('..') ? file : inside).split(path.sep).join('/');
}

// ---- the FIFO

/** Opens the FIFO only if somebody reads it: opening must neither wait nor fail the run. */
function openEvents(name) {
  if (!name) return null;
  try {
    const probe = fs.openSync(name, fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NONBLOCK);
    try {
      return fs.openSync(name, fs.constants.O_WRONLY | fs.constants.O_APPEND); // has a reader, so this does not wait
    } finally {
      fs.closeSync(probe);
    }
  } catch {
    return null; // ENXIO: nobody reads; ENOENT: no such FIFO
  }
}

// What an event can do without, the least important first.
const LIGHTER = [
  (event) => ({ ...event, steps: undefined }),
  (event) => ({ ...event, attachments: undefined }),
  (event) => ({ ...event, error: event.error && { message: event.error.message } }),
  (event) => ({ ...event, title: event.title?.slice(-1) }),
];

/** A line of at most LINE_BYTES: what the worker cannot read is no pass. */
function wholeLine(event) {
  const encode = () => Buffer.from(`${JSON.stringify(event)}\n`);
  let line = encode();
  for (const lighten of LIGHTER) {
    if (line.length <= LINE_BYTES) break;
    event = lighten(event);
    line = encode();
  }
  return line;
}

class Events {
  #fd;

  constructor(name) {
    this.#fd = openEvents(name);
  }

  get open() {
    return this.#fd !== null;
  }

  /** Waits while the pipe is full: there is nothing better to do for a runner whose results cannot be told. */
  write(event) {
    if (this.#fd === null) return;
    const line = wholeLine(event);
    for (let at = 0; at < line.length;) {
      try {
        at += fs.writeSync(this.#fd, line, at);
      } catch (error) {
        if (error.code === 'EAGAIN' || error.code === 'EINTR') {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
          continue;
        }
        this.close(); // EPIPE: the reader has gone
        return;
      }
    }
  }

  close() {
    if (this.#fd === null) return;
    try { fs.closeSync(this.#fd); } catch { /* it is gone either way */ }
    this.#fd = null;
  }
}

module.exports = { Events, WORDS, comparedIn, plain, relative, short, shown, stepList, tagList, tagsIn };
