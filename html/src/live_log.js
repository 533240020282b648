// The end of what an attempt has put out without having been settled: so far, followed while it runs, or until its worker
// was lost or stopped. It stays at the end while its reader does, and where it is when he has scrolled up.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { parseAnsi } from './ansi.js';
import { html } from './html.js';
import { AnsiLine } from './pieces.js';

// Workers tell what is there every two seconds.
const ASK_MS = 1000;
const TAIL_BYTES = 64 * 1024;
const AT_END_PX = 8;

export function LiveLog({ details, run, row, attempt, isRunning = false }) {
  const text = useFollowed({ details, run, row, attempt, isRunning });
  const lines = useMemo(() => (text ? parseAnsi(text.replace(/\n$/, '')) : []), [text]);
  const box = useRef(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const noteScroll = ({ target }) => { isAtEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < AT_END_PX; };
  if (!lines.length) return null;
  return html`
    <section class="log" aria-label="Log">
      <header class="section-head"><h3>Log <span class="of">${isRunning ? 'so far' : 'as far as it was told'}</span></h3></header>
      <div class="log-box log-wrap" ref=${box} onScroll=${noteScroll} tabindex="0" role="region" aria-label="Log text">
        ${lines.map((line, i) => html`<div class="log-line" key=${i}><${AnsiLine} pieces=${line} direct />${line.length ? '' : '\n'}</div>`)}
      </div>
    </section>`;
}

// Asked again and again; a question that fails is asked again, too, and what was seen stays.
function useFollowed({ details, run, row, attempt, isRunning }) {
  const [text, setText] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const ask = () => details.log(run, row, attempt, TAIL_BYTES, abort.signal)
      .then((log) => { if (!abort.signal.aborted) setText(log.text); }, () => {})
      .then(() => { if (isRunning && !abort.signal.aborted) timer = setTimeout(ask, ASK_MS); });
    ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [run, row, attempt, isRunning]);
  return text;
}
