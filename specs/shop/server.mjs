// The demo shop: pages put together at start, a small JSON interface, pictures drawn on demand. No dependencies.
//
//   node shop/server.mjs [PORT]            serves until it is stopped; without a port it takes a free one
//   const shop = await startShop();        the same inside another program: { url, close() }
//
// Everything that visitors leave behind (accounts, orders, messages) lives in memory and belongs to one server, so any
// number of shops can run beside each other.

import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawProduct } from './art.mjs';
import { CATEGORIES, findProducts, findStores, priceOrder, productById, relatedTo, suggest } from './catalog.mjs';

const PUBLIC = new URL('public/', import.meta.url);
const BODY_BYTES = 16 * 1024;
const TYPES = {
  '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8', '.json': 'application/json; charset=utf-8',
};
const SECURITY = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
};

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/;

class Refusal extends Error {
  constructor(status, message, fields = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/** Every file that can be asked for, by its path: what is not in here does not exist. */
function loadAssets() {
  const assets = new Map();
  for (const folder of ['css', 'js'])
    for (const name of readdirSync(new URL(folder, PUBLIC)))
      assets.set(`/${folder}/${name}`, { type: TYPES[path.extname(name)], body: readFileSync(new URL(`${folder}/${name}`, PUBLIC)) });
  assets.set('/favicon.svg', { type: TYPES['.svg'], body: readFileSync(new URL('favicon.svg', PUBLIC)) });
  return assets;
}

/** A page is a fragment whose first line is "<!-- Title -->"; the layout is laid around it once, at start. */
function loadPages() {
  const layout = readFileSync(new URL('layout.html', PUBLIC), 'utf8');
  const pages = new Map();
  for (const name of readdirSync(new URL('pages', PUBLIC))) {
    const source = readFileSync(new URL(`pages/${name}`, PUBLIC), 'utf8');
    const [, title, main] = /^<!-- (.*?) -->\n([\s\S]*)$/.exec(source);
    const values = { title, main, page: path.basename(name, '.html') };
    pages.set(values.page, layout.replace(/\{\{(\w+)\}\}/g, (_, key) => values[key]));
  }
  return pages;
}

const assets = loadAssets();
const pages = loadPages();

function requireFields(body, rules) {
  const fields = {};
  for (const [name, [test, message]] of Object.entries(rules))
    if (!test(String(body[name] ?? '').trim())) fields[name] = message;
  if (Object.keys(fields).length > 0) throw new Refusal(422, 'Please check the marked fields.', fields);
}

const filled = (text) => text.length > 0;

function createBackOffice() {
  const accounts = new Map();
  const sessions = new Map();
  const orders = [];
  const subscribers = new Set();
  accounts.set('demo@needle-and-thread.example', { name: 'Demo Dancer', email: 'demo@needle-and-thread.example', password: 'funkytown' });

  const whoIs = (request) => sessions.get(/(?:^|;\s*)sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]);
  const signIn = (account, response) => {
    const sid = randomUUID();
    sessions.set(sid, account.email);
    response.setHeader('Set-Cookie', `sid=${sid}; HttpOnly; SameSite=Lax; Path=/`);
    return { name: account.name, email: account.email };
  };

  return {
    'GET /api/products': ({ url }) => findProducts(url.searchParams),
    'GET /api/suggest': ({ url }) => suggest(url.searchParams.get('q') ?? ''),
    'GET /api/stores': ({ url }) => findStores(url.searchParams.get('near') ?? '',
      Number(url.searchParams.get('within')) || Infinity, url.searchParams.get('service') ?? ''),

    'GET /api/product': ({ url }) => {
      const product = productById(url.searchParams.get('id') ?? '');
      if (!product) throw new Refusal(404, 'We do not sell this (any more).');
      return { ...product, related: relatedTo(product) };
    },

    'POST /api/price': ({ body }) => {
      if (body.promo && body.promo.toUpperCase() !== 'FUNKY10') throw new Refusal(422, 'This code is not valid.');
      return priceOrder(body.lines ?? [], body.promo, body.shipping);
    },

    'POST /api/orders': ({ body, request }) => {
      const pickup = body.shipping === 'pickup';
      requireFields(body, {
        email: [(text) => EMAIL.test(text), 'Enter an email address such as ana@example.com.'],
        name: [filled, 'Enter your name.'],
        ...(pickup ? {} : {
          street: [filled, 'Enter the street and number.'],
          city: [filled, 'Enter the city.'],
          zip: [(text) => /^\d{5}$/.test(text), 'Enter a ZIP code of five digits.'],
        }),
      });
      const lines = (body.lines ?? []).filter(({ id, quantity }) => productById(id) && quantity > 0);
      if (lines.length === 0) throw new Refusal(422, 'The cart is empty.');
      const gone = lines.map(({ id }) => productById(id)).find((product) => product.stock === 0);
      if (gone) throw new Refusal(409, `${gone.name} is sold out.`);
      const order = { number: `NT-${randomBytes(4).toString('hex').toUpperCase()}`, email: body.email, owner: whoIs(request), ...priceOrder(lines, body.promo, body.shipping) };
      orders.push(order);
      return { number: order.number, email: order.email, total: order.total };
    },

    'POST /api/newsletter': ({ body }) => {
      requireFields(body, { email: [(text) => EMAIL.test(text), 'Enter an email address such as ana@example.com.'] });
      const email = body.email.trim().toLowerCase();
      const known = subscribers.has(email);
      subscribers.add(email);
      return { known };
    },

    'POST /api/contact': ({ body }) => {
      requireFields(body, {
        name: [filled, 'Enter your name.'],
        email: [(text) => EMAIL.test(text), 'Enter an email address such as ana@example.com.'],
        topic: [filled, 'Choose a topic.'],
        message: [(text) => text.length >= 10, 'Write at least ten characters.'],
      });
      return { reference: `Q-${randomBytes(3).toString('hex').toUpperCase()}` };
    },

    'POST /api/register': ({ body, response }) => {
      requireFields(body, {
        name: [filled, 'Enter your name.'],
        email: [(text) => EMAIL.test(text), 'Enter an email address such as ana@example.com.'],
        password: [(text) => text.length >= 8, 'Use at least eight characters.'],
      });
      const email = body.email.trim().toLowerCase();
      if (accounts.has(email)) throw new Refusal(409, 'There is an account with this email address.', { email: 'There is an account with this email address.' });
      const account = { name: body.name.trim(), email, password: body.password };
      accounts.set(email, account);
      return signIn(account, response);
    },

    'POST /api/login': ({ body, response }) => {
      const account = accounts.get(String(body.email ?? '').trim().toLowerCase());
      if (!account || account.password !== body.password) throw new Refusal(401, 'Email address or password is wrong.');
      return signIn(account, response);
    },

    'POST /api/logout': ({ request, response }) => {
      sessions.delete(/(?:^|;\s*)sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]);
      response.setHeader('Set-Cookie', 'sid=; Max-Age=0; Path=/');
      return {};
    },

    'GET /api/me': ({ request }) => {
      const account = accounts.get(whoIs(request));
      if (!account) return { signedIn: false };
      return { signedIn: true, name: account.name, email: account.email, orders: orders.filter((order) => order.owner === account.email) };
    },
  };
}

async function readJson(request) {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_BYTES) throw new Refusal(413, 'Too much.');
  }
  try {
    const body = JSON.parse(text || '{}');
    if (body && typeof body === 'object' && !Array.isArray(body)) return body;
  } catch { /* said below */ }
  throw new Refusal(400, 'Expected a JSON object.');
}

function pageFor(pathname) {
  if (pathname === '/') return pages.get('home');
  const [, first, second, ...rest] = pathname.split('/');
  if (rest.length > 0) return undefined;
  if (first === 'products' && second) return productById(second) && pages.get('product');
  if (second !== undefined) return undefined;
  if (CATEGORIES.includes(first)) return pages.get(first);
  return ['home', 'product', 'missing'].includes(first) ? undefined : pages.get(first);
}

function send(response, status, type, body, extra = {}) {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, ...SECURITY, ...extra });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

async function answer(backOffice, request, response) {
  const url = new URL(request.url, 'http://shop.invalid');
  const method = request.method === 'HEAD' ? 'GET' : request.method;

  if (url.pathname.startsWith('/api/')) {
    const handler = backOffice[`${method} ${url.pathname}`];
    try {
      if (!handler) throw new Refusal(404, 'No such thing.');
      const body = method === 'POST' ? await readJson(request) : {};
      send(response, 200, TYPES['.json'], JSON.stringify(handler({ url, body, request, response })), { 'Cache-Control': 'no-store' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, error.status, TYPES['.json'], JSON.stringify({ message: error.message, fields: error.fields }));
    }
    return;
  }

  if (method !== 'GET') return void send(response, 405, 'text/plain', 'Method not allowed\n', { Allow: 'GET, HEAD' });

  const asset = assets.get(url.pathname);
  if (asset) return void send(response, 200, asset.type, asset.body, { 'Cache-Control': 'max-age=300' });

  const picture = /^\/art\/([\w-]+)\.svg$/.exec(url.pathname);
  const product = picture && productById(picture[1]);
  if (product) return void send(response, 200, TYPES['.svg'], drawProduct(product), { 'Cache-Control': 'max-age=300' });

  const page = pageFor(url.pathname);
  send(response, page ? 200 : 404, TYPES['.html'], page ?? pages.get('missing'), { 'Cache-Control': 'no-cache' });
}

/** Starts a shop. Port 0 is a free one. Resolves when it accepts connections. */
export async function startShop({ port = 0, host = '127.0.0.1' } = {}) {
  const backOffice = createBackOffice();
  const server = createServer((request, response) => {
    answer(backOffice, request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) send(response, 500, 'text/plain', 'Something broke\n');
      else response.destroy();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const port = Number(process.argv[2] ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error(`usage: node server.mjs [PORT]; "${process.argv[2]}" is no port`);
    process.exit(2);
  }
  const shop = await startShop({ port });
  console.log(`Needle & Thread is open at ${shop.url}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => shop.close());
}
