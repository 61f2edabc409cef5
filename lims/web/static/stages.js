// The counts of the six stages stay true while the page stands: asked for every 15 seconds while
// somebody looks, at once when the page comes back to the front or says "lims:changed".

const nav = document.querySelector("nav.way[data-stages]");
const EVERY_MS = 15_000;
let asking = false;

async function refresh() {
  if (asking || document.hidden) return;
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

if (nav) {
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("lims:changed", refresh);
}
