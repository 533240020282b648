// The output of one attempt: its end at first, all of it when asked for, and a way to the first line that looks like
// the cause. What is far from view is laid out when it is scrolled to (content-visibility), but it is all there for the
// browser's own search.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { parseAnsi, troubleLines } from './ansi.js';
import { formatBytes } from './format.js';
import { html } from './html.js';
import { Glyph } from './icons.js';
import { AnsiLine } from './pieces.js';

const TAIL_BYTES = 128 * 1024;
const BLOCK_LINES = 100;

export function Log({ details, run, row, attempt }) {
  const [whole, setWhole] = useState(false);
  const [wrap, setWrap] = useState(true);
  const [log, setLog] = useState(null);
  const [sought, setSought] = useState(-1);
  const box = useRef(null);
  const address = details.logAddress(run, row, attempt.attempt);

  useEffect(() => {
    const abort = new AbortController();
    details.log(run, row, attempt.attempt, whole ? 0 : TAIL_BYTES, abort.signal)
      .then(setLog, (cause) => { if (!abort.signal.aborted) setLog({ failure: cause.message }); });
    return () => abort.abort();
  }, [run, row, attempt.attempt, whole, attempt.log_bytes]);

  const lines = useMemo(() => (log?.text ? parseAnsi(log.text.replace(/\n$/, '')) : []), [log]);
  const trouble = useMemo(() => troubleLines(lines), [lines]);
  const marked = useMemo(() => new Set(trouble), [trouble]);

  // A log opens where its reader wants to be: at the cause, or at the end.
  useEffect(() => {
    setSought(trouble[0] ?? -1);
    if (!trouble.length && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  useEffect(() => {
    const line = box.current?.querySelector('.sought');
    if (line) box.current.scrollTop += line.getBoundingClientRect().top - box.current.getBoundingClientRect().top - box.current.clientHeight / 3;
  }, [sought, lines]);

  const at = trouble.indexOf(sought);
  const seek = (step) => setSought(trouble[(at + step + trouble.length) % trouble.length]);
  return html`
    <section class="log" aria-label="Log">
      <header class="section-head">
        <h3>Log <span class="of">${formatBytes(attempt.log_bytes)}</span></h3>
        ${trouble.length > 0 && html`
          <span class="log-trouble">
            <span class="of">Error ${at + 1} of ${trouble.length}</span>
            ${trouble.length > 1 && html`
              <button type="button" class="tool tool-small" aria-label="Previous error in the log" onClick=${() => seek(-1)}><${Glyph} name="up" size="14" /></button>
              <button type="button" class="tool tool-small" aria-label="Next error in the log" onClick=${() => seek(1)}><${Glyph} name="down" size="14" /></button>`}
          </span>`}
        <label class="check"><input type="checkbox" checked=${wrap} onChange=${() => setWrap(!wrap)} /> Wrap</label>
        ${address && html`<a class="link" href=${address} target="_blank" rel="noreferrer">Raw</a>`}
      </header>
      ${attempt.log_dropped_bytes > 0 && html`<p class="note">${formatBytes(attempt.log_dropped_bytes)} of output were not kept.</p>`}
      ${log?.failure && html`<p class="note tone-text-failed">The log could not be loaded: ${log.failure}</p>`}
      ${log?.before > 0 && html`
        <p class="note">Showing the last ${formatBytes(log.text.length)}. ${address
          ? html`<button type="button" class="link" onClick=${() => setWhole(true)}>Show all ${formatBytes(log.before + log.text.length)}</button>`
          : `The ${formatBytes(log.before)} before them are not in this report.`}</p>`}
      ${log?.note && html`<p class="note">${log.note}</p>`}
      <div class=${`log-box ${wrap ? 'log-wrap' : ''}`} ref=${box} tabindex="0" role="region" aria-label="Log text" aria-busy=${!log}>
        ${blocksOf(lines).map(([start, block]) => html`
          <div class="log-block" key=${start}>
            ${block.map((line, i) => html`<div class=${`log-line ${marked.has(start + i) ? 'trouble' : ''} ${start + i === sought ? 'sought' : ''}`}><${AnsiLine} pieces=${line} direct />${line.length ? '' : '\n'}</div>`)}
          </div>`)}
      </div>
    </section>`;
}

function blocksOf(lines) {
  const blocks = [];
  for (let start = 0; start < lines.length; start += BLOCK_LINES) blocks.push([start, lines.slice(start, start + BLOCK_LINES)]);
  return blocks;
}
