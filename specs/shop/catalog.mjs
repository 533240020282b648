// The catalogue: what the shop sells and where. Pure look-ups over the JSON files in data/; knows nothing of HTTP.

import { readFileSync } from 'node:fs';

const load = (name) => JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8'));

const products = load('products');
const stores = load('stores');
const places = load('places');
const byId = new Map(products.map((product) => [product.id, product]));

export const CATEGORIES = ['records', 'kids', 'clothing'];

const ORDERS = {
  newest: (a, b) => b.added.localeCompare(a.added),
  'price-asc': (a, b) => a.price - b.price,
  'price-desc': (a, b) => b.price - a.price,
  name: (a, b) => a.name.localeCompare(b.name),
};

/** Lower case without accents, so that "cafe" finds "Café". */
function fold(text) {
  return text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();
}

const haystacks = new Map(products.map((p) => [p.id, fold([
  p.name, p.artist, p.label, p.genre, p.format, p.kind, p.material, p.category === 'kids' ? 'kids children' : '',
  ...(p.colours ?? []).map((colour) => colour.name),
].filter(Boolean).join(' '))]));

function matchesText(product, query) {
  return fold(query).split(/\s+/).filter(Boolean).every((word) => haystacks.get(product.id).includes(word));
}

const SIZES = ['0-6m', '6-12m', '12-18m', '2', '3', '4', '5', '6', '8', '10', '12', 'XS', 'S', 'M', 'L', 'XL', 'One size'];

/** Which values a filter can take, with how many products have each: what the filter panel shows. */
function facetsOf(list) {
  const count = (valuesOf) => {
    const counts = new Map();
    for (const product of list)
      for (const value of valuesOf(product)) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].map(([value, number]) => ({ value, number })).sort((a, b) => a.value.localeCompare(b.value));
  };
  const facets = {
    label: count((p) => (p.label ? [p.label] : [])),
    genre: count((p) => (p.genre ? [p.genre] : [])),
    format: count((p) => (p.format ? [p.format] : [])),
    kind: count((p) => (p.kind ? [p.kind] : [])),
    size: count((p) => p.sizes ?? []).sort((a, b) => SIZES.indexOf(a.value) - SIZES.indexOf(b.value)),
    colour: count((p) => (p.colours ?? []).map((colour) => colour.name)),
  };
  return Object.fromEntries(Object.entries(facets).filter(([, values]) => values.length > 1));
}

/** Several values of one filter widen it, several filters narrow it. `filters` is a URLSearchParams. */
export function findProducts(filters) {
  const category = filters.get('category');
  const query = filters.get('q') ?? '';
  const inScope = products.filter((p) => (!category || p.category === category) && matchesText(p, query));

  const allows = (name, valuesOf) => {
    const wanted = filters.getAll(name);
    return (product) => wanted.length === 0 || valuesOf(product).some((value) => wanted.includes(value));
  };
  const cents = (name) => (filters.get(name) ? Math.round(Number(filters.get(name)) * 100) : NaN);
  const [min, max] = [cents('min'), cents('max')];
  const tests = [
    allows('label', (p) => [p.label]), allows('genre', (p) => [p.genre]), allows('format', (p) => [p.format]),
    allows('kind', (p) => [p.kind]), allows('size', (p) => p.sizes ?? []),
    allows('colour', (p) => (p.colours ?? []).map((colour) => colour.name)),
    (p) => !(p.price < min) && !(p.price > max),
    (p) => filters.get('stock') !== 'in' || p.stock > 0,
  ];
  const items = inScope.filter((product) => tests.every((test) => test(product)));
  items.sort(ORDERS[filters.get('sort')] ?? ORDERS.newest);
  return { total: items.length, facets: facetsOf(inScope), items };
}

export function productById(id) {
  return byId.get(id);
}

/** Others of the same artist, then of the same genre or kind. */
export function relatedTo(product, limit = 5) {
  const nearness = (other) => (other.artist && other.artist === product.artist ? 2 : 0)
    + ((other.genre ?? other.kind) === (product.genre ?? product.kind) ? 1 : 0);
  return products.filter((other) => other.id !== product.id && other.category === product.category)
    .sort((a, b) => nearness(b) - nearness(a) || a.name.localeCompare(b.name)).slice(0, limit);
}

/** What the search box proposes while somebody types: record labels first, then products. */
export function suggest(query, limit = 6) {
  if (!query.trim()) return [];
  const labels = [...new Set(products.map((p) => p.label).filter((label) => label && fold(label).includes(fold(query.trim()))))]
    .map((label) => ({ text: label, hint: 'Label', href: `/records?label=${encodeURIComponent(label)}` }));
  const named = products.filter((p) => matchesText(p, query))
    .map((p) => ({ text: p.name, hint: p.artist ?? (p.category === 'kids' ? 'Kids' : 'Clothing'), href: `/products/${p.id}` }));
  return [...labels, ...named].slice(0, limit);
}

function miles(a, b) {
  const rad = (degrees) => (degrees * Math.PI) / 180;
  const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2
    + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lon - a.lon) / 2) ** 2;
  return 2 * 3958.8 * Math.asin(Math.sqrt(h));
}

/** A place for "Minneapolis", "Saint Paul, MN" or a five-digit ZIP code; undefined if we don't know it. */
function placeFor(query) {
  const text = fold(query.trim());
  if (/^\d{5}$/.test(text))
    return stores.find((store) => store.zip === text) ?? places.find((place) => place.zip3.includes(text.slice(0, 3)));
  const [city, state] = text.split(',').map((part) => part.trim());
  return places.find((place) => fold(place.city) === city && (!state || fold(place.state) === state));
}

/** Stores near a place, nearest first. `place` is null when the query names none that we know. */
export function findStores(query, withinMiles = Infinity, service = '') {
  const offers = (store) => !service || store.services.includes(service);
  if (!query.trim()) return { place: '', stores: stores.filter(offers) };
  const place = placeFor(query);
  if (!place) return { place: null, stores: [] };
  const near = stores.filter(offers).map((store) => ({ ...store, miles: Math.round(miles(place, store) * 10) / 10 }))
    .filter((store) => store.miles <= withinMiles).sort((a, b) => a.miles - b.miles);
  return { place: `${place.city}, ${place.state}`, stores: near };
}

/** What an order costs, in cents. Unknown ids and quantities below one are left out. */
export function priceOrder(lines, promo = '', shipping = 'standard') {
  const subtotal = lines.reduce((sum, { id, quantity }) => sum + (byId.get(id)?.price ?? 0) * Math.max(0, quantity), 0);
  const discount = promo.toUpperCase() === 'FUNKY10' ? Math.round(subtotal / 10) : 0;
  const delivery = { standard: subtotal - discount >= 7500 ? 0 : 595, express: 1495, pickup: 0 }[shipping] ?? 595;
  return { subtotal, discount, shipping: subtotal ? delivery : 0, total: subtotal - discount + (subtotal ? delivery : 0) };
}
