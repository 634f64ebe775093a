/* Small conveniences of every page. Each form and link works without them. */

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll('[data-copy]')
)) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy ?? '');
    button.textContent = button.dataset.copied ?? '';
    setTimeout(() => {
      button.textContent = label;
    }, 2_000);
  });
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll('[data-print]')
)) {
  button.hidden = false;
  button.addEventListener('click', () => print());
}

/* A choice that stands alone is sent as it is chosen; its button is for those without a script. */
for (const select of /** @type {NodeListOf<HTMLSelectElement>} */ (
  document.querySelectorAll('select[data-go]')
)) {
  const { form } = select;
  const button = form?.querySelector('button');
  if (button) button.hidden = true;
  select.addEventListener('change', () => form?.requestSubmit());
}

/* A second tap on a button does nothing. The key of the form makes that true without a script, too. */
addEventListener('submit', (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented) return;
  if (form.dataset.sent === 'yes') event.preventDefault();
  form.dataset.sent = 'yes';
});
addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/** @type {HTMLElement | null} */ (document.getElementById('errors'))?.focus();
