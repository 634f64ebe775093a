/* Whose link it is. The secret behind the # goes to the server in the body of a POST, and out of the address bar. */

const secret = location.hash.slice(1);
const said = /** @type {HTMLElement} */ (document.getElementById('link'));
const byLink = /** @type {HTMLFormElement} */ (document.getElementById('by-link'));
const byCode = /** @type {HTMLFormElement} */ (document.getElementById('by-code'));

if (secret !== '') {
  history.replaceState(null, '', location.pathname);
  const answer = await fetch('/sign-in/look', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
  const body = await answer.json();
  said.hidden = false;
  if (answer.ok) {
    said.textContent = `You are ${body.name}.`;
    byCode.hidden = true;
    byLink.hidden = false;
    /** @type {HTMLInputElement} */ (byLink.elements.namedItem('secret')).value = secret;
  } else {
    said.textContent = `${body.detail} ${body.hint ?? ''}`;
  }
}
