// The template tag of all components. It makes elements and text nodes, never markup from strings.

import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
