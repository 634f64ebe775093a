/* Signing in by a passkey, where the browser has them. */

/**
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const view = await answer.json();
  if (!answer.ok) throw new Error(`${view.detail} ${view.hint ?? ''}`);
  return view;
}

/** @param {HTMLFormElement} form */
async function signIn(form) {
  const { ceremony, options } = await post('/sign-in/passkey-options', {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ publicKey }));
  await post(form.dataset.passkey ?? '', { ceremony, response: credential.toJSON() });
  location.assign(form.dataset.next ?? '/');
}

/** @param {HTMLFormElement} form */
async function add(form) {
  const { ceremony, options } = await post('/passkeys/options', {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey }));
  await post('/passkeys', { ceremony, response: credential.toJSON() });
  location.assign(form.dataset.next ?? '/');
}

if (window.PublicKeyCredential !== undefined) {
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (
    document.querySelectorAll('form[data-passkey], form[data-add-passkey]')
  )) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const said = /** @type {HTMLElement} */ (form.querySelector('[role=status]'));
      const work = form.dataset.passkey === undefined ? add(form) : signIn(form);
      work.catch((error) => {
        said.textContent = error instanceof Error ? error.message : String(error);
      });
    });
  }
}
