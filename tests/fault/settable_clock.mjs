// A clock that is set while it runs: of every server that is started with its `env` (shifted_clock.c).

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../e2e/harness.mjs';

export class SettableClock {
  constructor(scene) {
    const file = scene.file('shift', '\0'.repeat(8));
    this.shift = openSync(file, 'r+');
    scene.closers.push(() => closeSync(this.shift));
    this.env = { LD_PRELOAD: join(build, 'tests/shifted_clock.so'), CLOCK_SHIFT_FILE: file };
  }

  // So many seconds ahead of this machine's from now on.
  set(seconds) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.shift, bytes, 0, 8, 0);
  }
}
