// Small helpers for building pages. Text only ever becomes text: nothing here parses HTML.

/** element('a', { href: '/x', class: 'y', onclick }, 'text', childElement, …) */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
export const money = (cents) => dollars.format(cents / 100);

export class ShopError extends Error {
  constructor(message, fields) {
    super(message);
    this.fields = fields ?? {};
  }
}

/** GET without a body, POST with one. Throws a ShopError that carries the server's messages by field. */
export async function api(path, body) {
  const response = await fetch(`/api/${path}`, body === undefined ? {} : {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new ShopError(answer.message, answer.fields);
  return answer;
}

/** Shows a message under each field that has one, and clears the others. Returns whether there was none. */
export function showFieldErrors(form, fields) {
  for (const place of findAll('[data-error]', form)) {
    const name = place.dataset.error;
    const message = fields[name] ?? '';
    place.textContent = message;
    const input = form.elements.namedItem(name);
    if (!(input instanceof HTMLElement)) continue;
    input.toggleAttribute('aria-invalid', false);
    if (message) {
      place.id ||= `error-${form.dataset.form ?? ''}${name}-${Math.random().toString(36).slice(2, 7)}`;
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-describedby', place.id);
    }
  }
  return Object.keys(fields).length === 0;
}

export const formValues = (form) => Object.fromEntries(new FormData(form));
export const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/;

export function toast(message) {
  const place = find('.toast');
  place.textContent = message;
  place.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { place.hidden = true; }, 4000);
}

export function productCard(product) {
  const by = product.artist ?? product.kind;
  return element('li', { class: 'product' },
    element('a', { href: `/products/${product.id}` },
      element('img', { src: `/art/${product.id}.svg`, alt: '', width: 400, height: 400, loading: 'lazy' }),
      element('span', { class: 'product-name' }, product.name)),
    element('span', { class: 'product-by' }, by),
    product.label ? element('span', { class: 'product-label' }, `${product.label} · ${product.format}`)
      : element('span', { class: 'swatches', 'aria-hidden': 'true' }, ...product.colours.map((colour) => swatch(colour))),
    element('span', { class: 'price' }, money(product.price)),
    product.stock === 0 && element('span', { class: 'tag' }, 'Sold out'));
}

export function swatch(colour) {
  const dot = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  dot.style.setProperty('--colour', colour.hex);
  return dot;
}
