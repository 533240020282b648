// The part of the page's state that lives in its address, so that what one sees can be sent to somebody
// else and survives a reload: filter, sort order, view, open task. Pure; unknown values are ignored.

import { NO_FILTER, statusMask, statusNames } from './filters.js';
import { COLUMNS, NATURAL } from './order.js';

export const VIEWS = ['tasks', 'errors', 'matrix', 'timeline'];

const TEXTS = { text: 'q', browser: 'browser', viewport: 'viewport', group: 'group', error: 'error' };

/** "?q=cart&status=failed,error&sort=-duration&task=task:search:3" -> { filter, sort, view, task, attempt } */
export function readAddress(search) {
  const query = new URLSearchParams(search);
  const filter = { ...NO_FILTER, statuses: statusMask((query.get('status') ?? '').split(',')) };
  for (const [field, name] of Object.entries(TEXTS)) filter[field] = query.get(name) ?? '';
  const sort = query.get('sort') ?? '';
  const column = sort.replace(/^-/, '');
  const view = query.get('view');
  return {
    filter,
    sort: COLUMNS.includes(column) ? { column, descending: sort.startsWith('-') } : NATURAL,
    view: VIEWS.includes(view) ? view : VIEWS[0],
    task: query.get('task') ?? '',
    attempt: Number(query.get('attempt')) || 0,
  };
}

/** The reverse; what is at its default is left out. Ends up as "" or "?…". */
export function writeAddress({ filter, sort, view, task, attempt }) {
  const query = new URLSearchParams();
  const put = (name, value) => { if (value) query.set(name, value); };
  put('view', view === VIEWS[0] ? '' : view);
  put('status', statusNames(filter.statuses).join(','));
  for (const [field, name] of Object.entries(TEXTS)) put(name, filter[field]);
  put('sort', sort.column && (sort.descending ? '-' : '') + sort.column);
  put('task', task);
  put('attempt', task && attempt ? String(attempt) : '');
  // These three are legal in a query, and task keys and specs are full of them.
  const text = query.toString().replace(/%3A/g, ':').replace(/%2F/g, '/').replace(/%2C/g, ',');
  return text && `?${text}`;
}
