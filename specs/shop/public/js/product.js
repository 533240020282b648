// One product: choose size, colour and quantity, put it into the cart.

import { addToCart } from './cart.js';
import { api, element, find, money, productCard, showFieldErrors, swatch, toast } from './dom.js';

const CATEGORY_NAMES = { records: 'Records', kids: 'Kids', clothing: 'Clothing' };

function drawChoices(place, name, values, decorate = () => null) {
  place.hidden = false;
  place.append(element('div', { class: 'pills' }, ...values.map((value, i) => element('label', { class: 'pill' },
    element('input', { type: 'radio', name, value, checked: values.length === 1 || (name === 'colour' && i === 0) }),
    decorate(i), element('span', {}, value)))));
}

function draw(product) {
  document.title = `${product.name} | Needle & Thread`;
  const crumb = find('[data-crumb-category]');
  crumb.href = `/${product.category}`;
  crumb.textContent = CATEGORY_NAMES[product.category];
  find('[data-crumb-name]').textContent = product.name;
  const picture = find('[data-picture]');
  picture.src = `/art/${product.id}.svg`;
  picture.alt = product.artist ? `Sleeve of ${product.name}` : product.name;
  find('[data-by]').textContent = product.artist ?? product.kind;
  find('[data-name]').textContent = product.name;
  find('[data-price]').textContent = money(product.price);
  find('[data-text]').textContent = product.text;
  find('[data-stock]').textContent = product.stock === 0 ? 'Sold out' : product.stock < 10 ? `Only ${product.stock} left` : 'In stock';
  find('[data-buy] button').disabled = product.stock === 0;

  if (product.colours) drawChoices(find('[data-colours]'), 'colour', product.colours.map((colour) => colour.name), (i) => swatch(product.colours[i]));
  if (product.sizes) drawChoices(find('[data-sizes]'), 'size', product.sizes);
  if (product.tracks) {
    find('[data-tracks]').hidden = false;
    find('[data-tracks] ol').append(...product.tracks.map((track) => element('li', {}, track)));
  }
  const facts = [['Label', product.label], ['Year', product.year], ['Format', product.format], ['Genre', product.genre],
    ['Material', product.material], ['Article', product.id]].filter(([, value]) => value);
  find('[data-details]').append(...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]));
  find('[data-related]').append(...product.related.map(productCard));
}

function startBuying(product) {
  const form = find('[data-buy]');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const values = new FormData(form);
    const missing = product.sizes && !values.get('size');
    find('[data-error="size"]').textContent = missing ? 'Choose a size first.' : '';
    if (missing) return;
    addToCart(product, Number(values.get('quantity')), { size: values.get('size') ?? '', colour: values.get('colour') ?? '' });
    toast(`${product.name} is in your cart.`);
  });
  form.addEventListener('change', () => showFieldErrors(form, {}));
}

const product = await api(`product?id=${encodeURIComponent(location.pathname.split('/').pop())}`);
draw(product);
startBuying(product);
