// Where the page is scrolled to, for lists that draw only what is on the screen. The window scrolls, not a box in
// it: that is what phones, space bars and screen readers expect.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { scrollToReveal, visibleRange } from './window.js';

/** The strip of the window that a list can be seen in: below what sticks to the top. */
export function viewOf(list) {
  const covered = parseFloat(getComputedStyle(list).scrollMarginTop) || 0;
  return { top: covered - list.getBoundingClientRect().top, height: innerHeight - covered };
}

/**
 * The rows of a list that have to be drawn.
 * @returns { ref, range: [first, end), reveal(place) }: ref is for the element that is as high as the list.
 */
export function useRowWindow(count, rowHeight) {
  const ref = useRef(null);
  const [range, setRange] = useState([0, Math.min(count, 60)]);

  useLayoutEffect(() => {
    const update = () => {
      const { top, height } = viewOf(ref.current);
      const next = visibleRange(count, rowHeight, top, height);
      setRange((before) => (before[0] === next[0] && before[1] === next[1] ? before : next));
    };
    update();
    addEventListener('scroll', update, { passive: true });
    addEventListener('resize', update);
    // What stands above the list may grow and shrink.
    const observer = new ResizeObserver(update);
    observer.observe(document.body);
    return () => {
      removeEventListener('scroll', update);
      removeEventListener('resize', update);
      observer.disconnect();
    };
  }, [count, rowHeight]);

  const reveal = (place) => {
    const { top, height } = viewOf(ref.current);
    const distance = scrollToReveal(place, rowHeight, top, height);
    if (distance) scrollBy({ top: distance, behavior: 'instant' });
  };
  return { ref, range: [Math.min(range[0], count), Math.min(range[1], count)], reveal };
}

const noColumns = matchMedia('(max-width: 700px)');
const noDrawer = matchMedia('(max-width: 900px)');

function useMedia(media) {
  const [matches, setMatches] = useState(media.matches);
  useLayoutEffect(() => {
    const update = () => setMatches(media.matches);
    media.addEventListener('change', update);
    return () => media.removeEventListener('change', update);
  }, []);
  return matches;
}

/** Whether there is no room for columns. */
export const useNarrow = () => useMedia(noColumns);

/** Whether there is no room for a drawer beside them. */
export const useCovered = () => useMedia(noDrawer);
