import { cartLines, promoCode, removeLine, setPromo, setQuantity } from './cart.js';
import { api, element, find, money, showFieldErrors, toast } from './dom.js';
import { showSums } from './sums.js';

const root = find('[data-cart]');
const promo = find('[data-promo]');

function drawLine(line) {
  const options = [line.colour, line.size && `size ${line.size}`].filter(Boolean).join(', ');
  const step = (by) => () => setQuantity(line.key, line.quantity + by);
  return element('li', { class: 'line' },
    element('img', { src: `/art/${line.id}.svg`, alt: '', width: 96, height: 96 }),
    element('div', { class: 'line-what' }, element('a', { href: `/products/${line.id}` }, line.name), options && element('small', {}, options),
      element('small', {}, `${money(line.price)} each`)),
    element('div', { class: 'stepper', role: 'group', 'aria-label': `Quantity of ${line.name}` },
      element('button', { type: 'button', 'aria-label': 'One less', disabled: line.quantity <= 1, onclick: step(-1) }, '−'),
      element('output', {}, String(line.quantity)),
      element('button', { type: 'button', 'aria-label': 'One more', disabled: line.quantity >= 9, onclick: step(1) }, '+')),
    element('span', { class: 'price' }, money(line.price * line.quantity)),
    element('button', { type: 'button', class: 'link', 'aria-label': `Remove ${line.name}`, onclick: () => { removeLine(line.key); toast(`${line.name} was removed.`); } }, 'Remove'));
}

async function show() {
  const lines = cartLines();
  find('[data-empty]', root).hidden = lines.length > 0;
  find('[data-full]', root).hidden = lines.length === 0;
  find('[data-lines]', root).replaceChildren(...lines.map(drawLine));
  promo.elements.promo.value = promoCode();
  if (lines.length === 0) return;
  const { subtotal, discount, shipping } = await showSums(root);
  find('[data-free-hint]', root).textContent = shipping === 0 ? 'Delivery is free.' : `${money(7500 - subtotal + discount)} more and delivery is free.`;
}

promo.addEventListener('submit', async (event) => {
  event.preventDefault();
  const code = promo.elements.promo.value.trim().toUpperCase();
  try {
    if (code) await api('price', { lines: [], promo: code });
    showFieldErrors(promo, {});
    setPromo(code);
  } catch (error) {
    showFieldErrors(promo, { promo: error.message });
  }
});

document.addEventListener('cart-changed', show);
show();
