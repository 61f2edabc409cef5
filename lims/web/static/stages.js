// The counts of the six stages stay true while somebody looks at the page: fetched again when the
// server's feed says that one changed, when the page comes back to the front or says
// "lims:changed", and each minute, since waits grow by themselves. A page nobody looks at holds no
// feed: a browser gives one site six connections for all its tabs.

const nav = document.querySelector("nav.way[data-stages]");
const EVERY_MS = 60_000;
let asking = false;
let again = false; // something changed while an answer, which may not know it, was on its way
let feed;

async function refresh() {
  if (document.hidden) return;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(nav.dataset.stages + "?at=" + encodeURIComponent(location.pathname), {
      headers: { Accept: "text/html" },
    });
    if (answer.ok && !answer.redirected) put(await answer.text());
  } catch {
    // The network is away; the next round asks again, and the counts stay as last known.
  } finally {
    asking = false;
  }
  if (!again) return;
  again = false;
  await refresh();
}

function put(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const link of nav.querySelectorAll("a[data-stage]")) {
    const now = fresh.querySelector(`a[data-stage="${link.dataset.stage}"]`);
    if (!now || now.innerHTML === link.innerHTML) continue;
    const counted = now.querySelector("b").textContent !== link.querySelector("b").textContent;
    link.innerHTML = now.innerHTML;
    if (counted) glow(link);
  }
}

function glow(link) {
  link.classList.remove("changed");
  void link.offsetWidth; // restart the animation
  link.classList.add("changed");
}

function listen() {
  feed?.close();
  feed = undefined;
  if (document.hidden) return;
  feed = new EventSource("/stages/feed"); // it comes back by itself when the line breaks
  feed.addEventListener("stages", refresh);
}

// On a telephone the stages and the ways of one do not fit: the one we are at is in sight.
for (const row of document.querySelectorAll("nav.way, nav.modes")) {
  const here = row.querySelector("[aria-current]");
  if (here) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.clientWidth) / 2;
}

if (nav) {
  listen();
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", () => { listen(); refresh(); });
  window.addEventListener("pagehide", () => feed?.close());
  document.addEventListener("lims:changed", refresh);
}
