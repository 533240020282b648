// Chance that can be had again: the same seed, the same choices. The seed is printed; FUNKYTOWN_TEST_SEED sets it.

import { randomInt } from 'node:crypto';

export class Chance {
  constructor(seed = Number(process.env.FUNKYTOWN_TEST_SEED || randomInt(2 ** 31))) {
    this.seed = seed;
    this.state = seed >>> 0;
  }

  // A number in [0, 1): mulberry32.
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }
}
