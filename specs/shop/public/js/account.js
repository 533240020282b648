import { api, element, find, formValues, money, showFieldErrors, ShopError } from './dom.js';

const login = find('[data-login]');
const register = find('[data-register]');
const alert = find('[data-alert]', login);

async function show() {
  const me = await api('me');
  find('[data-signed-out]').hidden = me.signedIn;
  find('[data-signed-in]').hidden = !me.signedIn;
  if (!me.signedIn) return;
  find('[data-name]').textContent = me.name;
  find('[data-email]').textContent = me.email;
  find('[data-orders]').replaceChildren(...(me.orders.length > 0
    ? me.orders.map((order) => element('li', {}, element('strong', {}, order.number), ` ${money(order.total)}`))
    : [element('li', {}, 'No orders yet.')]));
}

login.addEventListener('submit', async (event) => {
  event.preventDefault();
  alert.hidden = true;
  try {
    await api('login', formValues(login));
    login.reset();
    await show();
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    alert.textContent = error.message;
    alert.hidden = false;
  }
});

register.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await api('register', formValues(register));
    register.reset();
    showFieldErrors(register, {});
    await show();
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    showFieldErrors(register, error.fields);
  }
});

find('[data-logout]').addEventListener('click', async () => {
  await api('logout', {});
  await show();
});

show();
