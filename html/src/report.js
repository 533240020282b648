// The page as a file: the run that was written into it, and nobody to ask.

import { readKept } from './kept.js';
import { startPage } from './start.js';

const kept = readKept(document);
const state = startPage({ details: kept });
state.takePhase('kept', 0);
kept.snapshot().then(state.takeSnapshot, (cause) => {
  document.getElementById('app').textContent = `This report is damaged: ${cause.message}`;
});
