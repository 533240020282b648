// Numbers and times as people read them. Pure; the reader's own locale where it matters.

const integer = new Intl.NumberFormat();

export const formatCount = (count) => integer.format(count);

export const plural = (count, one, many = `${one}s`) => `${formatCount(count)} ${count === 1 ? one : many}`;

/** 0 -> "0ms", 812 -> "812ms", 3100 -> "3.1s", 72000 -> "1m 12s", 3720000 -> "1h 02m" */
export function formatDuration(ms) {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`;
  return formatClock(ms);
}

/** As formatDuration, in whole seconds: what ticks must not flicker between forms. */
export function formatClock(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}

/** [lo, hi] seconds -> "about 40s", "2–3 min" */
export function formatEta([low, high]) {
  if (high < 90) {
    const [a, b] = [Math.round(low / 5) * 5, Math.max(5, Math.round(high / 5) * 5)];
    return a === b ? `about ${b}s` : `${a}–${b}s`;
  }
  const unit = high < 5400 ? [60, 'min'] : [3600, 'h'];
  const show = (seconds) => (unit[0] === 60 ? String(Math.round(seconds / 60)) : (seconds / 3600).toFixed(1));
  const [a, b] = [show(low), show(high)];
  return a === b ? `about ${b} ${unit[1]}` : `${a}–${b} ${unit[1]}`;
}

export function formatBytes(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export const formatPercent = (fraction) => `${Math.round(fraction * 100)}%`;

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const formatTimeOfDay = (ms) => timeOfDay.format(ms);
export const formatTime = (ms) => fullTime.format(ms);
