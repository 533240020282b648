// Links to files as the reader wants them: a template of his own, remembered on this machine.

import { signal } from '@preact/signals';
import { html } from './html.js';
import { EDITOR_TEMPLATE, githubTemplate, isTemplate, linkTo } from './links.js';
import { CopyButton } from './pieces.js';

const STORED = 'funkytown.files';

const chosen = signal(read());

function read() {
  try {
    return localStorage.getItem(STORED) ?? '';
  } catch {
    return ''; // storage may be forbidden; the page works without
  }
}

function choose(template) {
  chosen.value = template;
  try {
    localStorage.setItem(STORED, template);
  } catch {
    // then it holds until the page is left
  }
}

/** A file and line: a link where it is known to where, to be copied, and the way to say where links shall lead. */
export function FilePlace({ state, file, line, column }) {
  const place = line ? `${file}:${line}` : file;
  const name = html`<bdi class="mono">${place}</bdi>`;
  const href = linkTo(chosen.value || githubTemplate(state.run.value.summary.source), { file, line, column });
  return html`
    <p class="place">${href ? html`<a href=${href} target=${href.startsWith('http') ? '_blank' : null} rel="noopener noreferrer">${name}</a>` : name}
      <${CopyButton} text=${place} label="Copy file and line" />
      ${!href && html`<button type="button" class="link" onClick=${() => { state.helpOpen.value = true; }}>Open in an editor…</button>`}</p>`;
}

/** For the help: where links to files lead. */
export function FileLinks({ source }) {
  const github = githubTemplate(source);
  const template = chosen.value;
  return html`
    <form class="file-links" onSubmit=${(event) => event.preventDefault()}>
      <label for="file-template"><b>Links to files</b></label>
      <input id="file-template" type="text" spellcheck=${false} autocomplete="off" dir="ltr" placeholder=${github || EDITOR_TEMPLATE} value=${template}
        aria-invalid=${template !== '' && !isTemplate(template)} aria-describedby="file-template-note" onInput=${(event) => choose(event.currentTarget.value.trim())} />
      <p id="file-template-note" class="of">${template && !isTemplate(template)
        ? 'This leads nowhere: it has to begin as vscode:// or https:// do, and to have {file} in it.'
        : html`${'{file}'} is the path below SPEC_ROOT; ${'{line}'} and ${'{column}'} may follow. Remembered in this browser.`}</p>
      ${template === '' && html`<button type="button" class="button" onClick=${() => choose(EDITOR_TEMPLATE)}>As VS Code has them</button>`}
    </form>`;
}
