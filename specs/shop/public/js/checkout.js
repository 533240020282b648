// The order form. Each field is checked here, for quick answers, and by the server again.

import { cartLines, emptyCart, promoCode } from './cart.js';
import { api, element, EMAIL, find, formValues, money, showFieldErrors, ShopError } from './dom.js';
import { showSums } from './sums.js';

const root = find('[data-checkout]');
const form = find('[data-order]');
const alert = find('[data-alert]', form);

/** The check digit of card numbers. */
function passesLuhn(digits) {
  const sum = [...digits].reverse().reduce((total, char, i) => {
    const doubled = Number(char) * (i % 2 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0;
}

function isInFuture(expiry) {
  const parts = /^(0[1-9]|1[0-2])\/(\d{2})$/.exec(expiry);
  if (!parts) return false;
  const endOfMonth = new Date(2000 + Number(parts[2]), Number(parts[1]), 1);
  return endOfMonth > new Date();
}

function problemsOf(values) {
  const problems = {};
  const check = (name, holds, message) => { if (!holds) problems[name] = message; };
  check('email', EMAIL.test(values.email.trim()), 'Enter an email address such as ana@example.com.');
  check('name', values.name.trim(), 'Enter your name.');
  if (values.shipping !== 'pickup') {
    check('street', values.street.trim(), 'Enter the street and number.');
    check('city', values.city.trim(), 'Enter the city.');
    check('zip', /^\d{5}$/.test(values.zip.trim()), 'Enter a ZIP code of five digits.');
  }
  check('card', passesLuhn(values.card.replace(/[ -]/g, '')), 'Check the card number.');
  check('expiry', isInFuture(values.expiry.trim()), 'Enter a date in the future, as MM/YY.');
  check('cvc', /^\d{3,4}$/.test(values.cvc.trim()), 'Enter the three or four digits from the back.');
  check('terms', values.terms, 'Please accept the terms of sale.');
  return problems;
}

function refuse(message, fields) {
  showFieldErrors(form, fields);
  alert.textContent = message;
  alert.hidden = false;
  alert.focus();
}

async function showShipping() {
  const { shipping } = formValues(form);
  find('[data-address]', form).hidden = shipping === 'pickup';
  find('[data-pickup]', form).hidden = shipping !== 'pickup';
  await showSums(root, shipping);
}

async function fillStores() {
  const { stores } = await api('stores');
  form.elements.store.append(...stores.map((store) => element('option', { value: store.id }, `${store.name}, ${store.city}`)));
}

form.addEventListener('change', (event) => {
  if (event.target.name === 'shipping') showShipping();
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const values = formValues(form);
  const problems = problemsOf(values);
  const count = Object.keys(problems).length;
  if (count > 0) return refuse(count === 1 ? 'Please check the marked field.' : `Please check the ${count} marked fields.`, problems);
  const { card, expiry, cvc, terms, ...order } = values; // the card never leaves the page: this is a demo
  try {
    const lines = cartLines().map(({ id, quantity }) => ({ id, quantity }));
    const placed = await api('orders', { ...order, lines, promo: promoCode() });
    sessionStorage.setItem('needle-and-thread.order', JSON.stringify(placed));
    emptyCart();
    location.assign('/thanks');
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    refuse(error.message, error.fields);
  }
});

const lines = cartLines();
find('[data-empty]', root).hidden = lines.length > 0;
find('[data-full]', root).hidden = lines.length === 0;
find('[data-mini]', root).append(...lines.map((line) => element('li', {}, element('span', {}, `${line.quantity} × ${line.name}`), element('span', {}, money(line.price * line.quantity)))));
if (lines.length > 0) await Promise.all([showShipping(), fillStores()]);
