import { find, money } from './dom.js';

const order = JSON.parse(sessionStorage.getItem('needle-and-thread.order') ?? 'null');
if (!order) location.replace('/');
else {
  find('[data-number]').textContent = order.number;
  find('[data-email]').textContent = order.email;
  find('[data-total]').textContent = money(order.total);
}
