// New cases come by themselves. The stream names a case; the row is fetched as this reader may see
// it, put in its place and glows once. Without JavaScript the page is the same, by reloading.

const board = document.querySelector("[data-board]");
const rows = board.querySelector("tbody");
const RELOAD_MS = 120_000; // waits grow, and whatever was missed is mended
const GROUPS = ["corrected", "new", "held", "read"];
const FIRST_CORRECTED = Number(board.dataset.firstCorrected);
const AFTER_NEW = 1.5;
const FIGURES_MS = 400;

let stream = null;
let lastSeen = null;
let figuresDue = null;

const show = (name, on) => {
  for (const part of board.querySelectorAll(`[data-when="${name}"]`)) part.hidden = !on;
};

async function html(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (answer.status === 204) return "";
  return answer.ok && !answer.redirected ? answer.text() : null;
}

function parsed(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

function glow(element) {
  element.classList.remove("changed");
  void element.offsetWidth; // restart the animation
  element.classList.add("changed");
}

async function showCase(id) {
  const text = await html(`${board.dataset.rows}${encodeURIComponent(id)}/row?${board.dataset.query}`);
  if (text === null) return;
  const old = document.getElementById(`case-${id}`);
  const fresh = parsed(`<table><tbody>${text}</tbody></table>`).querySelector("tr");
  if (!fresh) old?.remove();
  else if (old && old.dataset.standing === fresh.dataset.standing) swap(old, fresh);
  else if (old) {
    old.remove();
    insert(fresh);
  }
  else if (board.dataset.page === "1") insert(fresh);
  showEmptiness();
}

function put(row, group, first) {
  const next = [...rows.children].find((other) => place(other) > group || (first && place(other) === group));
  next ? next.before(row) : rows.append(row);
}

function swap(old, fresh) {
  if (old.innerHTML === fresh.innerHTML) return;
  const held = old.contains(document.activeElement);
  old.replaceWith(fresh);
  glow(fresh);
  if (held) fresh.querySelector("button, a")?.focus();
}

const corrected = () => [...rows.children].filter((row) => row.dataset.standing === "corrected");
const many = () => corrected().length >= FIRST_CORRECTED;

function place(row) { // the groups in the board's order; many corrections do not hide what is new
  const group = GROUPS.indexOf(row.dataset.standing);
  return group === 0 && corrected().indexOf(row) >= FIRST_CORRECTED ? AFTER_NEW : group;
}

function insert(row) { // within its group by the order asked for
  const oldest = board.dataset.order === "oldest";
  const group = oldest && row.dataset.standing === "corrected" && many() ? AFTER_NEW : place(row);
  put(row, group, !oldest);
  const pushed = corrected()[FIRST_CORRECTED];
  if (pushed && pushed !== row && !oldest) {
    pushed.remove();
    put(pushed, AFTER_NEW, true);
  }
  glow(row);
  const news = board.querySelector("[data-news]");
  news.textContent = news.dataset.said;
}

function showEmptiness() {
  const none = rows.children.length === 0;
  board.querySelector("table").hidden = none;
  show("empty", none);
}

async function showFigures() {
  figuresDue = null;
  const text = await html(board.dataset.figures);
  if (!text) return;
  const page = parsed(text);
  for (const id of ["figures", "alerts"]) {
    const now = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (fresh && fresh.innerHTML !== now.innerHTML) now.replaceWith(fresh);
  }
  document.dispatchEvent(new Event("lims:changed"));
}

function figuresSoon() {
  figuresDue ??= setTimeout(() => showFigures().catch(() => {}), FIGURES_MS);
}

async function lookAgain() {
  if (document.hidden || rows.contains(document.activeElement)) return;
  const text = await html(location.href);
  if (!text) return;
  const fresh = parsed(text).querySelector("[data-board] tbody");
  if (fresh) rows.replaceChildren(...fresh.children);
  showEmptiness();
  figuresSoon();
}

function listen() {
  if (stream || document.hidden) return;
  const address = new URL(board.dataset.feed, location);
  if (lastSeen) address.searchParams.set("since", lastSeen);
  stream = new EventSource(address);
  stream.onopen = () => { show("live", true); show("lost", false); };
  stream.onerror = () => {
    show("live", false);
    show("lost", true);
    if (stream.readyState === EventSource.CLOSED) { // signed out, or the server is going
      stop();
      setTimeout(listen, 10_000);
    }
  };
  const heard = (act) => (event) => {
    lastSeen = event.lastEventId || lastSeen;
    act(JSON.parse(event.data)).catch(() => {});
    figuresSoon();
  };
  stream.addEventListener("case", heard((said) => showCase(said.id)));
  stream.addEventListener("alert", heard(async () => {}));
  stream.addEventListener("reset", heard(lookAgain));
}

function stop() {
  stream?.close();
  stream = null;
}

// A page nobody looks at holds no stream; back in front it catches up from where it stopped.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else { listen(); figuresSoon(); }
});
setInterval(() => lookAgain().catch(() => {}), RELOAD_MS);
listen();
