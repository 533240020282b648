// The order's sums, as the cart and the checkout show them. The server does the arithmetic.

import { cartLines, promoCode } from './cart.js';
import { api, find, findAll, money } from './dom.js';

export async function showSums(root, shipping = 'standard') {
  const lines = cartLines().map(({ id, quantity }) => ({ id, quantity }));
  const sums = await api('price', { lines, promo: promoCode(), shipping });
  for (const name of ['subtotal', 'discount', 'shipping', 'total'])
    find(`[data-sum=${name}]`, root).textContent = name === 'discount' ? `-${money(sums.discount)}`
      : name === 'shipping' && sums.shipping === 0 ? 'Free' : money(sums[name]);
  for (const row of findAll('[data-row=discount]', root)) row.hidden = sums.discount === 0;
  return sums;
}
