// Which rows of a long list are on the screen. All rows of a list are equally high, so this is arithmetic
// and needs no measuring: 100,000 rows cost what 30 do. Pure.

const OVERSCAN = 8;

/**
 * The rows to draw. top: pixels of the list above the visible part (negative: the list starts further down).
 * @returns [first, end)
 */
export function visibleRange(count, rowHeight, top, height) {
  const first = Math.floor(top / rowHeight) - OVERSCAN;
  const end = Math.ceil((top + height) / rowHeight) + OVERSCAN;
  return [Math.min(count, Math.max(0, first)), Math.max(0, Math.min(count, end))];
}

/**
 * How far to scroll so that a row is wholly visible between the covered strips above and below; 0: it is.
 */
export function scrollToReveal(place, rowHeight, top, height) {
  const start = place * rowHeight;
  if (start < top) return start - top;
  return Math.max(0, start + rowHeight - (top + height));
}
