// Which key does what. Keys belong to the text field while one is being typed into, and to the browser when a
// modifier is held. Pure.

const KEYS = {
  '/': 'filter', '?': 'help', Escape: 'escape', j: 'next', k: 'previous', n: 'nextFailure', p: 'previousFailure', Enter: 'open',
  1: 'view', 2: 'view', 3: 'view', 4: 'view',
};

/**
 * event: { key, ctrlKey, metaKey, altKey, target: { tagName, type } } -> the name of an action, or null.
 */
export function actionOf({ key, ctrlKey, metaKey, altKey, target }) {
  if (ctrlKey || metaKey || altKey) return null;
  const tag = target?.tagName;
  if (key === 'Escape') return 'escape';
  if (tag === 'TEXTAREA' || tag === 'SELECT' || (tag === 'INPUT' && target.type !== 'checkbox')) return null;
  // On a control, Enter is the control's.
  if (key === 'Enter' && ['A', 'BUTTON', 'SUMMARY', 'INPUT'].includes(tag)) return null;
  return KEYS[key] ?? null;
}
