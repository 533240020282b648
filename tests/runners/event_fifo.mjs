// The worker's end of FUNKYTOWN_EVENTS, for tests of reporters: makes a FIFO, reads it until nobody can write any more, and
// checks that it held whole lines of JSON.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

export class EventFifo {
  #keeper;
  #reader;
  #chunks = [];
  #ended;

  constructor(file) {
    execFileSync('mkfifo', [file]);
    this.file = file;
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#keeper = openSync(file, constants.O_WRONLY); // as in the worker: the FIFO lives longer than one runner
    this.#reader = new Socket({ fd, readable: true, writable: false });
    this.#ended = new Promise((resolve, reject) => this.#reader.on('end', resolve).on('error', reject));
    this.#reader.on('data', (chunk) => this.#chunks.push(chunk));
  }

  /** The reader goes away, as when the worker dies. */
  abandon() {
    this.#reader.destroy();
    closeSync(this.#keeper);
  }

  /** Every event that was written. To be called when the writers have ended. */
  async events() {
    closeSync(this.#keeper);
    await this.#ended;
    const text = Buffer.concat(this.#chunks).toString('utf8');
    assert.ok(text === '' || text.endsWith('\n'), 'the last line is whole');
    const lines = text.split('\n').slice(0, -1);
    for (const line of lines) assert.ok(Buffer.byteLength(line) < 256 * 1024, 'a line has its limit');
    return lines.map((line) => JSON.parse(line));
  }
}
