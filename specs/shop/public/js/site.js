// What every page has: the menu, the search box with its proposals, the cart's badge, the newsletter form.

import { countItems } from './cart.js';
import { api, element, EMAIL, find, findAll, formValues, showFieldErrors } from './dom.js';

function startMenu() {
  const button = find('.menu-button');
  const menu = find('#menu');
  const setOpen = (open) => {
    button.setAttribute('aria-expanded', String(open));
    menu.classList.toggle('open', open);
  };
  button.addEventListener('click', () => setOpen(button.getAttribute('aria-expanded') !== 'true'));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || button.getAttribute('aria-expanded') !== 'true') return;
    setOpen(false);
    button.focus();
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest('.top')) setOpen(false);
  });
  for (const link of findAll('a', menu))
    if (link.pathname === location.pathname) link.setAttribute('aria-current', 'page');
}

function startSearch() {
  const form = find('.search');
  const input = find('#q');
  const list = find('#proposals');
  let asked = 0;
  let chosen = -1;

  if (location.pathname === '/search') input.value = new URLSearchParams(location.search).get('q') ?? '';

  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };

  const choose = (index) => {
    const options = findAll('[role=option]', list);
    if (options.length === 0) return;
    chosen = (index + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute('aria-selected', String(i === chosen)));
    input.setAttribute('aria-activedescendant', options[chosen].id);
  };

  input.addEventListener('input', async () => {
    const mine = ++asked;
    const proposals = input.value.trim().length < 2 ? [] : await api(`suggest?q=${encodeURIComponent(input.value)}`);
    if (mine !== asked) return; // a later letter has asked since
    list.replaceChildren(...proposals.map((proposal, i) => element('li', { role: 'option', id: `proposal-${i}`, 'aria-selected': 'false' },
      element('a', { href: proposal.href, tabindex: '-1' }, element('span', {}, proposal.text), element('small', {}, proposal.hint)))));
    chosen = -1;
    list.hidden = proposals.length === 0;
    input.setAttribute('aria-expanded', String(proposals.length > 0));
  });

  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(chosen + (event.key === 'ArrowDown' ? 1 : chosen < 0 ? 0 : -1));
    } else if (event.key === 'Escape') {
      close();
    } else if (event.key === 'Enter' && chosen >= 0) {
      event.preventDefault();
      findAll('a', list)[chosen].click();
    }
  });

  form.addEventListener('submit', (event) => {
    if (input.value.trim() === '') event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    if (!form.contains(event.target)) close();
  });
}

function startBadge() {
  const badge = find('[data-cart-count]');
  const link = find('.cart-link');
  const show = () => {
    const count = countItems();
    badge.textContent = String(count);
    badge.hidden = count === 0;
    link.setAttribute('aria-label', count === 0 ? 'Cart, empty' : `Cart, ${count} ${count === 1 ? 'item' : 'items'}`);
  };
  document.addEventListener('cart-changed', show);
  window.addEventListener('storage', show);
  show();
}

function startNewsletter() {
  const form = find('.newsletter');
  const status = find('.form-status', form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    status.textContent = '';
    const { email } = formValues(form);
    if (!showFieldErrors(form, EMAIL.test(email.trim()) ? {} : { email: 'Enter an email address such as ana@example.com.' })) return;
    const { known } = await api('newsletter', { email });
    status.textContent = known ? 'You are on the list already.' : 'Welcome to the list!';
    form.reset();
  });
}

startMenu();
startSearch();
startBadge();
startNewsletter();
