// Rerun failed and Cancel, for who has the controller's token. Both say first what they are going to do.

import { useEffect, useRef, useState } from 'preact/hooks';
import { plural } from './format.js';
import { html } from './html.js';
import { goesOn } from './verdict.js';
import { createWrites } from './writes.js';

const writes = createWrites({ api: 'api/v1/runs/current', fetch: (...args) => fetch(...args), storage: () => sessionStorage });

export function Writes({ state, summary }) {
  const [asked, setAsked] = useState(null);
  const { phase, gone } = state.contact.value;
  // A file has no controller, and one that is gone can't be asked.
  if (gone || phase === 'kept') return null;
  const { counts } = summary;
  const failed = counts.failed + counts.error;
  const open = counts.queued + counts.running;
  const rerun = { write: 'rerun', word: 'Rerun failed', body: { status: ['failed', 'error'], expected_count: failed }, what: `${plural(failed, 'task')} that failed or ended in error will run again.` };
  const cancel = { write: 'cancel', word: 'Cancel the run', body: {}, what: `${plural(open, 'task')} that ${open === 1 ? 'has' : 'have'} not ended won’t run any more.` };
  const button = (ask, word) => html`<button type="button" class="button" onClick=${() => setAsked(ask)}>${word}</button>`;
  return html`
    <div class="writes">
      ${failed > 0 && !goesOn(summary) && button(rerun, rerun.word)}
      ${goesOn(summary) && button(cancel, 'Cancel')}
      ${asked && html`<${Question} ...${asked} onDone=${() => setAsked(null)} />`}
    </div>`;
}

function Question({ write, word, body, what, onDone }) {
  const dialog = useRef(null);
  const [token, setToken] = useState(writes.token());
  const [known, setKnown] = useState(token !== '');
  const [refusal, setRefusal] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => { dialog.current.showModal(); }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const answer = await writes.send(write, body, token);
    if (answer === '') {
      dialog.current.close();
      return;
    }
    setBusy(false);
    setRefusal(answer);
    setKnown(writes.token() !== '');
  };
  return html`
    <dialog class="help" ref=${dialog} aria-labelledby="write-title" onClose=${onDone}>
      <form onSubmit=${submit}>
        <h2 id="write-title">${word}</h2>
        <p>${what}</p>
        ${!known && html`
          <p><label for="token">The controller’s token <span class="of">(its FUNKYTOWN_TOKEN; this tab keeps it)</span></label>
            <input id="token" type="password" autocomplete="off" required value=${token} onInput=${(event) => setToken(event.currentTarget.value)} /></p>`}
        <p class="tone-text-failed" role="alert">${refusal}</p>
        <p class="write-buttons"><button type="submit" class="button" disabled=${busy}>${word}</button> <button type="button" class="button" onClick=${() => dialog.current.close()}>Back</button></p>
      </form>
    </dialog>`;
}
