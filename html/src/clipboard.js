// Copying, also where the page is not in a secure context (a report on http://build-host:3000), where browsers
// withhold the clipboard interface.

export async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'offscreen';
  document.body.append(area);
  const focused = document.activeElement;
  area.select();
  document.execCommand('copy');
  area.remove();
  focused?.focus();
}
