// A field with data-areas searches the 3,355 provinces and communes while one types.

const PAUSE_MS = 150;

for (const field of document.querySelectorAll("input[data-areas]")) {
  const list = document.getElementById(field.getAttribute("list"));
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    if (field.value.includes("·") || field.value.trim().length < 2) return;
    waiting = setTimeout(() => search(field, list), PAUSE_MS);
  });
}

async function search(field, list) {
  const asked = field.value;
  try {
    const answer = await fetch(field.dataset.areas + "?q=" + encodeURIComponent(asked));
    if (answer.ok && !answer.redirected && field.value === asked) list.innerHTML = await answer.text();
  } catch {
    // Away for a moment: the typed name is looked up again when the form is sent.
  }
}
