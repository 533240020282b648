import { api, find, productCard } from './dom.js';

const { items } = await api('products?sort=newest');
find('[data-arrivals]').replaceChildren(...items.slice(0, 10).map(productCard));
