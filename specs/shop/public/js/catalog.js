// The product lists: records, kids, clothing and search results. The address holds the filters, so that a list can be
// bookmarked, shared and gone back to.

import { api, element, find, findAll, money, productCard } from './dom.js';

const TITLES = { label: 'Label', genre: 'Genre', format: 'Format', kind: 'Kind', size: 'Size', colour: 'Colour' };

const page = find('.catalog');
const filters = find('[data-filters]');
const sort = find('[data-sort]');
const panel = find('#filters');
const opener = find('[data-open-filters]');
let asked = 0;

const currentQuery = () => new URLSearchParams(location.search);

function drawFilters(facets) {
  const query = currentQuery();
  const groups = Object.entries(facets).map(([name, values]) => element('fieldset', {}, element('legend', {}, TITLES[name]),
    ...values.map(({ value, number }) => element('label', { class: 'check' },
      element('input', { type: 'checkbox', name, value, checked: query.getAll(name).includes(value) }),
      element('span', {}, value), element('small', { 'aria-hidden': 'true' }, String(number))))));
  filters.replaceChildren(...groups,
    element('fieldset', {}, element('legend', {}, 'Price'),
      element('div', { class: 'inline' },
        element('input', { name: 'min', type: 'number', min: 0, placeholder: 'from', 'aria-label': 'Lowest price', value: query.get('min') ?? '' }),
        element('input', { name: 'max', type: 'number', min: 0, placeholder: 'to', 'aria-label': 'Highest price', value: query.get('max') ?? '' }))),
    element('label', { class: 'check' },
      element('input', { type: 'checkbox', name: 'stock', value: 'in', checked: query.get('stock') === 'in' }), element('span', {}, 'In stock only')));
}

function drawChips(query) {
  const chips = [...query].filter(([name]) => TITLES[name] || ['min', 'max', 'stock'].includes(name)).map(([name, value]) => {
    const text = name === 'min' ? `from ${money(value * 100)}` : name === 'max' ? `to ${money(value * 100)}` : name === 'stock' ? 'In stock' : value;
    return element('li', {}, element('button', { type: 'button', 'aria-label': `Remove filter ${text}`, onclick: () => {
      const rest = [...query].filter(([n, v]) => !(n === name && v === value));
      go(new URLSearchParams(rest));
    } }, text));
  });
  find('[data-chips]').replaceChildren(...chips);
}

/** The panel is left alone while somebody works in it: it says already what the address says. */
async function show({ redraw = true } = {}) {
  const mine = ++asked;
  const query = currentQuery();
  const wanted = new URLSearchParams(query);
  if (page.dataset.category) wanted.set('category', page.dataset.category);
  const { total, items, facets } = await api(`products?${wanted}`);
  if (mine !== asked) return;

  if (page.dataset.category === undefined) find('[data-searched]').textContent = `for “${query.get('q') ?? ''}”`;
  sort.value = query.get('sort') ?? 'newest';
  if (redraw) drawFilters(facets);
  drawChips(query);
  find('[data-products]').replaceChildren(...items.map(productCard));
  find('[data-count]').textContent = total === 1 ? '1 product' : `${total} products`;
  find('[data-nothing]').hidden = total > 0;
  find('[data-clear]').disabled = findAll('[data-chips] li').length === 0;
}

function go(query, options) {
  history.pushState(null, '', query.size > 0 ? `?${query}` : location.pathname);
  show(options);
}

/** What the panel says now, beside what it does not know of: the search words and the order. */
function queryFromPanel() {
  const before = currentQuery();
  const query = new URLSearchParams();
  for (const name of ['q', 'sort'])
    if (before.get(name)) query.set(name, before.get(name));
  for (const [name, value] of new FormData(filters))
    if (value !== '') query.append(name, value);
  return query;
}

filters.addEventListener('change', () => go(queryFromPanel(), { redraw: false }));
filters.addEventListener('submit', (event) => event.preventDefault());
sort.addEventListener('change', () => {
  const query = currentQuery();
  query.set('sort', sort.value);
  go(query);
});
find('[data-clear]').addEventListener('click', () => {
  const before = currentQuery();
  go(new URLSearchParams([...before].filter(([name]) => ['q', 'sort'].includes(name))));
});

const setPanel = (open) => {
  panel.classList.toggle('open', open);
  opener.setAttribute('aria-expanded', String(open));
};
opener.addEventListener('click', () => setPanel(!panel.classList.contains('open')));
find('[data-close-filters]').addEventListener('click', () => setPanel(false));
window.addEventListener('popstate', () => show());

show();
