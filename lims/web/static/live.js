// A page of waiting things shows them as they are now: when a stage's count moves (stages.js), the
// page is fetched again and takes its place, at most every ten seconds, and never under the hands
// of somebody who types or has opened something. A row that is new glows once.

const nav = document.querySelector("nav.way");
const AT_MOST_EVERY_MS = 10_000;
let last = Date.now();
let waiting;

const busy = (main) =>
  document.hidden || main.querySelector("details[open], form[data-touched]") ||
  (main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button"));

const counts = () => [...nav.querySelectorAll("b")].map((count) => count.textContent).join("|");

async function refresh() {
  waiting = undefined;
  const main = document.querySelector("main");
  if (busy(main)) return later();
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!busy(main)) put(main, page.querySelector("main"));
  } catch {
    // The network is away: what is shown stays, and the next change asks again.
  }
}

function put(main, fresh) {
  const known = new Set([...main.querySelectorAll("tbody tr")].map((row) => row.cells[0]?.textContent));
  const scrolled = window.scrollY;
  main.replaceWith(fresh);
  window.scrollTo(0, scrolled);
  for (const row of fresh.querySelectorAll("tbody tr")) {
    if (known.has(row.cells[0]?.textContent)) continue;
    row.classList.add("changed");
    // Nobody has seen it yet: whoever presses the button means what was there before.
    for (const tick of row.querySelectorAll("input[type=checkbox]")) tick.checked = false;
  }
  document.dispatchEvent(new Event("refreshed"));
}

function later() {
  waiting ??= setTimeout(refresh, Math.max(0, last + AT_MOST_EVERY_MS - Date.now()));
}

// A clock goes on though nothing is counted anew.
if (document.querySelector("main [data-clock]")) setInterval(later, 60_000);

if (nav) {
  let known = counts();
  new MutationObserver(() => {
    if (counts() === known) return;
    known = counts();
    later();
  }).observe(nav, { childList: true, subtree: true, characterData: true });
}
