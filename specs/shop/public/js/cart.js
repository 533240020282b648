// The cart: lines of { key, id, quantity, size, colour, name, price } in localStorage, so that it outlives the visit.

const PLACE = 'needle-and-thread.cart';
const MOST = 9;

function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(PLACE));
    return { lines: Array.isArray(stored?.lines) ? stored.lines : [], promo: stored?.promo ?? '' };
  } catch {
    return { lines: [], promo: '' };
  }
}

function write(cart) {
  localStorage.setItem(PLACE, JSON.stringify(cart));
  document.dispatchEvent(new CustomEvent('cart-changed'));
}

export const cartLines = () => read().lines;
export const promoCode = () => read().promo;
export const countItems = () => read().lines.reduce((sum, line) => sum + line.quantity, 0);

/** The same product in another size or colour is a line of its own. */
export function addToCart(product, quantity, { size = '', colour = '' } = {}) {
  const cart = read();
  const key = [product.id, size, colour].join('/');
  const line = cart.lines.find((candidate) => candidate.key === key);
  if (line) line.quantity = Math.min(MOST, line.quantity + quantity);
  else cart.lines.push({ key, id: product.id, quantity: Math.min(MOST, quantity), size, colour, name: product.name, price: product.price });
  write(cart);
}

export function setQuantity(key, quantity) {
  const cart = read();
  const line = cart.lines.find((candidate) => candidate.key === key);
  if (!line) return;
  line.quantity = Math.min(MOST, Math.max(1, quantity));
  write(cart);
}

export function removeLine(key) {
  const cart = read();
  write({ ...cart, lines: cart.lines.filter((line) => line.key !== key) });
}

export function setPromo(promo) {
  write({ ...read(), promo });
}

export function emptyCart() {
  write({ lines: [], promo: '' });
}
