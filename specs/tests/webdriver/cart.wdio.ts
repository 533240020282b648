import { $, browser, expect } from '@wdio/globals';

async function addToCart(id: string): Promise<void> {
  await browser.url(`/products/${id}`);
  await expect($('h1')).not.toHaveText('Loading …');
  await $('button=Add to cart').click();
  await expect($('.toast')).toHaveText(/is in your cart\.$/);
}

describe('the cart', () => {
  it('adds up what is in it', async () => {
    await addToCart('odessa-bright-copper-kettle-blues');
    await $('.cart-link').click();
    await expect($('[data-sum="total"]')).toHaveText('$33.94'); // 27.99 and 5.95 for delivery
    await $('[aria-label="One more"]').click();
    await expect($('[data-sum="total"]')).toHaveText('$61.93');
  });

  it('is kept over a reload, and can be emptied', async () => {
    await browser.refresh();
    await $('[aria-label^="Remove "]').click();
    await expect($('h2=Your cart is empty.')).toBeDisplayed();
    await expect($('.cart-link')).toHaveAttribute('aria-label', 'Cart, empty');
  });
});
