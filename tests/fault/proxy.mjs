// A TCP proxy that cuts: what a network may do to a connection, on purpose and at the right moment.
//
// Each connection through it is a link with two directions, `up` (to the server) and `down` (to the client). What
// happens to bytes is said for all links at once, and may be changed at any time:
//     flow     they go through
//     hold     they are kept, and go through when the direction flows again: a network that stalls
//     drop     they are gone: a half-open connection, of which one side will never know
// `delayMs` and `chunk` hold for what flows: how long it takes, and how many bytes arrive at a time (0: as they come).
// `tap`, if set, sees everything first: tap(link, direction, bytes) may act on the link, and says false for what shall
// not go through.

import { connect, createServer } from 'node:net';

class Direction {
  constructor(proxy, name, link, to) {
    this.proxy = proxy;
    this.name = name;
    this.link = link;
    this.to = to;
    this.waiting = []; // [{ bytes, due }], in order
    this.timer = undefined;
  }

  take(bytes) {
    if (this.proxy.tap?.(this.link, this.name, bytes) === false || this.proxy[this.name] === 'drop') return;
    this.waiting.push({ bytes, due: Date.now() + this.proxy.delayMs });
    this.move();
  }

  move() {
    clearTimeout(this.timer);
    while (this.proxy[this.name] === 'flow' && this.waiting.length > 0) {
      const wait = this.waiting[0].due - Date.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.move(), wait);
        return;
      }
      if (!this.write(this.waiting[0])) return;
    }
    if (this.waiting.length === 0 && this.hasEnded) this.to.end();
  }

  // Whether the next may follow at once.
  write(first) {
    const { chunk } = this.proxy;
    if (chunk === 0 || first.bytes.length <= chunk) {
      this.waiting.shift();
      this.to.write(first.bytes);
    } else {
      this.to.write(first.bytes.subarray(0, chunk));
      first.bytes = first.bytes.subarray(chunk);
    }
    if (chunk === 0) return true;
    this.timer = setImmediate(() => this.move());
    return false;
  }

  end() {
    this.hasEnded = true;
    this.move();
  }
}

export class Proxy {
  static async start(targetPort, targetHost = '127.0.0.1') {
    const proxy = new Proxy(targetPort, targetHost);
    await proxy.listen();
    return proxy;
  }

  constructor(targetPort, targetHost) {
    Object.assign(this, { targetPort, targetHost, port: 0, up: 'flow', down: 'flow', delayMs: 0, chunk: 0, tap: undefined });
    this.links = new Set();
    this.accepted = 0;
    this.server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
  }

  listen() {
    return new Promise((done) => {
      this.server.listen(this.port, '127.0.0.1', () => {
        this.port = this.server.address().port;
        done();
      });
    });
  }

  get env() {
    return { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(this.port) };
  }

  accept(client) {
    const server = connect({ host: this.targetHost, port: this.targetPort, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    const link = { client, server };
    link.up = new Direction(this, 'up', link, server);
    link.down = new Direction(this, 'down', link, client);
    this.links.add(link);
    this.accepted++;
    client.on('data', (bytes) => link.up.take(bytes));
    server.on('data', (bytes) => link.down.take(bytes));
    client.on('end', () => link.up.end());
    server.on('end', () => link.down.end());
    for (const socket of [client, server]) {
      socket.on('error', () => this.reset(link));
      socket.on('close', () => client.destroyed && server.destroyed && this.links.delete(link));
    }
  }

  set(rules) {
    Object.assign(this, rules);
    for (const { up, down } of this.links) {
      up.move();
      down.move();
    }
  }

  // Both sides get a reset, in the middle of whatever they were saying.
  reset(link) {
    link.client.resetAndDestroy();
    link.server.resetAndDestroy();
  }

  // The client loses the link; the server has time to do all that it was told.
  loseReply(link) {
    link.client.resetAndDestroy();
    link.server.end();
  }

  resetAll() {
    for (const link of this.links) this.reset(link);
  }

  // Nobody can connect any more; `listen` undoes it.
  refuse() {
    return new Promise((done) => {
      this.server.close(done);
      this.resetAll();
    });
  }

  // Bytes that nobody has sent.
  say(link, direction, bytes) {
    link[direction].to.write(bytes);
  }

  async close() {
    for (const { client, server } of this.links) {
      client.destroy();
      server.destroy();
    }
    if (this.server.listening) await new Promise((done) => this.server.close(done));
  }
}
