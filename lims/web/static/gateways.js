// The gateways as they stand: the page is fetched again every ten seconds, as often as they speak,
// and its middle takes its place. Nobody looks: nobody asks. When the laboratory itself is out of
// reach the page says so, lest "working" be read that was true an hour ago.

const EVERY_MS = 10_000;
let next = setTimeout(look, EVERY_MS);
let looks = 0;

async function look() {
  clearTimeout(next);
  const mine = (looks += 1); // of two answers under way the one asked for first is the older
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // signed out: the page says so
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine === looks) put(fresh.querySelector("main"));
  } catch {
    if (mine === looks) document.querySelector("[data-lost]").hidden = false;
  }
  if (mine === looks && !document.hidden) next = setTimeout(look, EVERY_MS);
}

function put(fresh) {
  const main = document.querySelector("main");
  main.querySelector("[data-lost]").hidden = true;
  for (const open of main.querySelectorAll("details[id][open]")) {
    const same = fresh.querySelector(`#${open.id}`);
    if (same) same.open = true;
  }
  if (main.contains(document.activeElement) || fresh.innerHTML === main.innerHTML) return;
  const scrolled = window.scrollY;
  main.replaceWith(fresh);
  window.scrollTo(0, scrolled);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(next) : look()));
