// The store finder. The address holds the search, so that a result can be linked to.

import { api, element, find, formValues } from './dom.js';

const form = find('[data-finder]');
const found = find('[data-found]');
let asked = 0;

function drawStore(store) {
  return element('li', { class: 'card store' },
    element('h2', {}, store.name), store.miles !== undefined && element('p', { class: 'miles' }, `${store.miles} miles`),
    element('address', {}, store.street, element('br'), `${store.city}, ${store.state} ${store.zip}`),
    element('p', {}, element('a', { href: `tel:+1${store.phone.replace(/\D/g, '')}` }, store.phone)),
    element('p', { class: 'hours' }, store.hours),
    element('ul', { class: 'tags', 'aria-label': `What ${store.name} offers` }, ...store.services.map((service) => element('li', {}, service))));
}

function describe({ place, stores }, near) {
  if (place === null) return `We don't know “${near}”. Try a larger city, or a ZIP code of five digits.`;
  const count = stores.length === 1 ? '1 store' : `${stores.length} stores`;
  if (place === '') return count;
  return stores.length === 0 ? `No store near ${place}. Try a larger distance.` : `${count} near ${place}`;
}

async function show() {
  const mine = ++asked;
  const query = new URLSearchParams(location.search);
  for (const name of ['near', 'within', 'service']) form.elements[name].value = query.get(name) ?? '';
  const result = await api(`stores?${query}`);
  if (mine !== asked) return;
  found.textContent = describe(result, query.get('near') ?? '');
  find('[data-stores]').replaceChildren(...result.stores.map(drawStore));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const query = new URLSearchParams(Object.entries(formValues(form)).filter(([, value]) => value.trim() !== ''));
  history.pushState(null, '', query.size > 0 ? `?${query}` : location.pathname);
  show();
});
window.addEventListener('popstate', show);
show();
