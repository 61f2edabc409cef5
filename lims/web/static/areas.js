// A field with data-areas searches the 3,355 provinces and communes while one types. Listened for
// on the document, since pages that scan in a row put new fields in place.

const PAUSE_MS = 150;
let waiting;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.dataset.areas) return;
  clearTimeout(waiting);
  if (field.value.includes("·") || field.value.trim().length < 2) return;
  waiting = setTimeout(() => search(field, document.getElementById(field.getAttribute("list"))), PAUSE_MS);
});

async function search(field, list) {
  const asked = field.value;
  try {
    const answer = await fetch(field.dataset.areas + "?q=" + encodeURIComponent(asked));
    if (answer.ok && !answer.redirected && field.value === asked) list.innerHTML = await answer.text();
  } catch {
    // Away for a moment: the typed name is looked up again when the form is sent.
  }
}
