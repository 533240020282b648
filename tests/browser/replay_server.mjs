// Serves the built page (of the build folder in FUNKYTOWN_BUILD, else of build/) and a made-up run over HTTP, under the
// very security policy of the controller. Tests drive it in their own process; by hand it is a way to look at the page:
//
//     node tests/browser/replay_server.mjs --tasks 2000 --workers 20 --speed 30 --port 3999 [--done] [--hostile]

import { createServer } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ReplayRun } from './replay_run.mjs';

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const DIST = resolve(PROJECT, process.env.FUNKYTOWN_BUILD ?? 'build', 'html/dist');
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml', txt: 'text/plain; charset=utf-8' };
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
  + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/**
 * base: a path that the report is under, "/ci/42", as behind a proxy.
 * @returns { url, run, token, flush(), drop(), replace(run), refuse(status | 0), vanish(), end(state), appear(), close() }
 */
export async function startReplay({ run, base = '', port = 0 }) {
  const files = new Map(await Promise.all((await readdir(DIST)).map(async (name) => [name, await readFile(join(DIST, name))])));
  const streams = new Set();
  let refused = 0;
  let gone = false;
  const replay = { run, token: '' };

  const server = createServer((request, response) => {
    if (gone) return request.socket.destroy();
    const { pathname, searchParams } = new URL(request.url, 'http://replay');
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff', ...headers });
      response.end(body);
    };
    const path = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : '';
    if (path === '/results') return send(200, TYPES.html, files.get('index.html'), { 'content-security-policy': POLICY, 'cache-control': 'no-cache' });
    const asset = /^\/assets\/([\w.-]+)$/.exec(path)?.[1];
    if (files.has(asset)) return send(200, TYPES[asset.split('.').pop()], files.get(asset), { 'cache-control': 'public, max-age=31536000, immutable' });
    const call = /^\/api\/v1\/runs\/current\/(.*)$/.exec(path)?.[1];
    if (call === undefined) return send(404, 'text/plain', 'not found');
    if (refused) return send(refused, 'application/problem+json', JSON.stringify({ title: 'refused', status: refused }));
    if (call === 'snapshot') return send(200, 'application/json', gzipSync(JSON.stringify(replay.run.snapshot()), { level: 1 }), { 'content-encoding': 'gzip', 'cache-control': 'no-store' });
    if (request.method === 'POST') return write(call, request, send);
    if (call === 'events') return follow(request, response, searchParams.get('since') ?? '');
    const [, key, number] = /^tasks\/([^/]+)(?:\/attempts\/(\d+)\/log)?$/.exec(call) ?? [];
    const row = key === undefined ? -1 : replay.run.rowOf(decodeURIComponent(key));
    if (row < 0) return send(404, 'application/problem+json', '{"title":"no such task","status":404}');
    if (!number) return send(200, 'application/json', JSON.stringify(replay.run.detail(row)));
    return sendLog(request, send, replay.run.log(row, Number(number)));
  });

  // What the controller says to a write, of http_write.c; replay.token: '' for one that takes none.
  async function write(call, request, send) {
    const refuse = (status, detail) => send(status, 'application/problem+json', JSON.stringify({ title: 'refused', status, detail }));
    const { run: now } = replay;
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString() || '{}');
    if (!replay.token) return refuse(403, 'writes need a token, and none is configured');
    if (request.headers.authorization !== `Bearer ${replay.token}`) return refuse(401, 'writes need Authorization: Bearer and the configured token');
    const { counts, state } = now.summary();
    if (call === 'rerun' && body.expected_count !== counts.failed + counts.error) return refuse(409, `expected_count: found ${body.expected_count}, but ${counts.failed + counts.error} tasks are failed or error; nothing was done`);
    if (call === 'cancel' && state !== 'running') return refuse(409, `run ${now.runId} is ${state} already`);
    const answer = call === 'rerun' ? { rerun: now.rerun() } : { cancelled: now.cancel() ?? counts.queued + counts.running };
    streams.forEach(feed);
    return send(200, 'application/json', JSON.stringify(answer));
  }

  function sendLog(request, send, text) {
    if (text === null) return send(404, 'text/plain', 'no such attempt');
    const bytes = Buffer.from(text);
    const [, tail] = /^bytes=-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const start = tail ? Math.max(0, bytes.length - Number(tail)) : 0;
    const headers = { 'accept-ranges': 'bytes' };
    if (!tail) return send(200, TYPES.txt, bytes, headers);
    return send(206, TYPES.txt, bytes.subarray(start), { ...headers, 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` });
  }

  function follow(request, response, since) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    const [epoch, seq] = since.split(':');
    const stream = { response, epoch, seq: Number(seq) };
    streams.add(stream);
    request.on('close', () => streams.delete(stream));
    response.write(': hello\n\n');
    feed(stream);
  }

  function feed(stream) {
    const { run: now } = replay;
    if (stream.epoch !== now.epoch) {
      stream.response.write('event: reset\ndata: {}\n\n');
      streams.delete(stream);
      return;
    }
    const delta = now.delta(stream.seq);
    if (!delta) return;
    stream.seq = delta.seq;
    stream.response.write(`event: delta\nid: ${now.epoch}:${delta.seq}\ndata: ${JSON.stringify(delta)}\n\n`);
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return Object.assign(replay, {
    url: `http://127.0.0.1:${server.address().port}${base}/results`,
    /** Tells the open pages what has changed. */
    flush: () => streams.forEach(feed),
    /** Cuts the open streams. */
    drop: () => streams.forEach(({ response }) => response.destroy()),
    /** As when another run, or the same from another controller, answers at this address. */
    replace: (next) => { replay.run = next; streams.forEach(feed); },
    refuse: (status) => { refused = status; },
    /** As when the controller is killed. */
    vanish: () => { gone = true; streams.forEach(({ response }) => response.destroy()); },
    /** As when it ends on purpose. */
    end: (state) => {
      gone = true;
      streams.forEach((stream) => {
        feed(stream);
        stream.response.end(`event: end\nid: ${replay.run.epoch}:${replay.run.seq}\ndata: ${JSON.stringify({ seq: replay.run.seq, state, summary: replay.run.summary() })}\n\n`);
      });
    },
    appear: () => { gone = false; },
    streams: () => streams.size,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: {
    tasks: { type: 'string', default: '400' }, workers: { type: 'string', default: '8' }, speed: { type: 'string', default: '10' }, port: { type: 'string', default: '3999' },
    seed: { type: 'string', default: '1' }, done: { type: 'boolean', default: false }, hostile: { type: 'boolean', default: false },
  } });
  const run = new ReplayRun({ tasks: Number(values.tasks), workers: Number(values.workers), seed: Number(values.seed), hostile: values.hostile });
  if (values.done) run.finish();
  const { url, flush } = await startReplay({ run, port: Number(values.port) });
  console.log(url);
  const FRAME_MS = 250;
  setInterval(() => {
    if (run.finishedMs) return;
    run.step(FRAME_MS * Number(values.speed));
    flush();
  }, FRAME_MS);
}
