// The planning page simulates one size of pools after the other, and says how far it is.

const shown = document.querySelector("[data-steps]");

if (shown) {
  const progress = shown.querySelector("progress");
  const steps = JSON.parse(shown.dataset.steps);
  progress.hidden = false;
  try {
    for (const step of steps) {
      const said = await fetch(step);
      if (!said.ok) throw new Error(said.statusText);
      progress.value += 1;
    }
    location.replace(shown.querySelector("a").href);
  } catch {
    progress.hidden = true; // the link beside it asks for all of it at once
  }
}
