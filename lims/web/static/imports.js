// A list that is being taken in shows how far it is: the page is fetched again each second and its
// middle takes its place, until it waits for a person or is done. Nobody looks: nobody asks.

const EVERY_MS = 1000;
const moving = () => document.querySelector("main [data-moving]");

async function look() {
  if (!moving()) return;
  try {
    if (!document.hidden && !document.querySelector("main details[open]")) {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) return location.reload(); // signed out: the page says so
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // The network is away; what is shown stays, and the next round asks again.
  }
  setTimeout(look, EVERY_MS);
}

function put(page) {
  const fresh = page.querySelector("main");
  const bar = document.querySelector("main progress");
  const now = fresh.querySelector("progress");
  if (bar && now) bar.replaceWith(now.cloneNode()); // so that the sections may be compared
  if (fresh.innerHTML !== document.querySelector("main").innerHTML) {
    document.querySelector("main").replaceWith(fresh);
  }
}

if (moving()) setTimeout(look, EVERY_MS);
