/* Whose link it is. The secret behind the # goes to the server in the body of a POST, and out of the address bar. */

const secret = location.hash.slice(1);
const said = /** @type {HTMLElement} */ (document.getElementById('link'));
const byLink = /** @type {HTMLFormElement} */ (document.getElementById('by-link'));
const byCode = /** @type {HTMLFormElement} */ (document.getElementById('by-code'));

if (secret !== '') {
  history.replaceState(null, '', location.pathname);
  said.hidden = false;
  byCode.hidden = true;
  try {
    const answer = await fetch('/sign-in/look', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
    const body = await answer.json();
    if (answer.ok) {
      const name = /** @type {HTMLElement} */ (byLink.querySelector('[data-you-are]'));
      name.textContent = (name.dataset.youAre ?? '').replace('{name}', () => body.name);
      said.hidden = true;
      byLink.hidden = false;
      /** @type {HTMLInputElement} */ (byLink.elements.namedItem('secret')).value = secret;
    } else {
      said.textContent =
        answer.status === 410 ? (said.dataset.old ?? '') : `${body.detail} ${body.hint ?? ''}`;
      byCode.hidden = false;
    }
  } catch (error) {
    said.textContent = error instanceof Error ? error.message : String(error);
    byCode.hidden = false;
  }
}
