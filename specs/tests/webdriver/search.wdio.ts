import { $, $$, browser, expect } from '@wdio/globals';

const names = () => $$('[data-products] .product-name').map((name) => name.getText());

describe('searching', () => {
  it('finds an artist without the accents', async () => {
    await browser.url('/');
    await $('#q').setValue('lucia del rio');
    await $('button=Search').click();
    await expect($('[data-products] .product-name')).toBeDisplayed();
    expect(await names()).toEqual(['Café con Luna', 'La Calle Doce']);
  });

  it('proposes what was meant, for the keyboard too', async () => {
    await browser.url('/');
    await $('#q').setValue('glitter');
    await expect($('[role=option]')).toBeDisplayed();
    await browser.keys('ArrowDown');
    await expect($('[role=option]')).toHaveAttribute('aria-selected', 'true');
    await browser.keys('Enter');
    await expect($('h1')).toHaveText('Glitter Ceiling');
  });
});
