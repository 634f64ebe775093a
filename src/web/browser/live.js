/* Reads the page again when the ledger changed, and replaces the parts that are different. */

const main = /** @type {HTMLElement} */ (document.querySelector('[data-live-from]'));
const events = new EventSource(main.dataset.liveFrom ?? '');
let isReading = false;
let isStale = false;

events.addEventListener('changed', () => {
  isStale = true;
  if (!isReading) readAgain().catch(() => events.close());
});

async function readAgain() {
  isReading = true;
  while (isStale) {
    isStale = false;
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
    replaceParts(new DOMParser().parseFromString(await answer.text(), 'text/html'));
  }
  isReading = false;
}

/** @param {Document} fresh */
function replaceParts(fresh) {
  for (const part of document.querySelectorAll('[data-live][id]')) {
    const next = fresh.getElementById(part.id);
    // Nobody's typing is taken away.
    if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    part.replaceWith(document.adoptNode(next));
  }
}
