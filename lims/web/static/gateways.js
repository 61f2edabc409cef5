// The gateways as they stand: the page is fetched again every ten seconds, as often as they speak,
// and its middle takes its place. Nobody looks: nobody asks.

const EVERY_MS = 10_000;

async function look() {
  const main = document.querySelector("main");
  try {
    if (!document.hidden && !main.contains(document.activeElement)) {
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
  const main = document.querySelector("main");
  if (fresh.innerHTML !== main.innerHTML) main.replaceWith(fresh);
}

setTimeout(look, EVERY_MS);
