// Where many things are scanned in a row the page does not reload: each scan is kept (unsent.js),
// posted in its turn, and what comes back takes the place of <main>; the hands stay on the scanner.
// A form that is being filled (data-carried) goes along, so that a scan never empties what was
// typed. When the network is away the scans wait in this browser and go out when it is back. At a
// desk whose scans build on each other (data-stops), a refusal stops those behind it until
// somebody has decided: a card must not be overtaken by the next one.

import { play, showSwitch, sound } from "./sounds.js";
import { Unsent, misread } from "./unsent.js";

const AGAIN_MS = 4_000;
const PATIENCE_MS = 30_000;
const SAID_AS_WAITED_MS = 5_000;
const AWAY = new Set([429, 502, 503, 504]); // it passes: sent again by itself

const form = document.querySelector("form.scan");
const field = document.getElementById("scan");
const notice = document.getElementById("unsent");
const start = form?.getAttribute("action");
const unsent = form && new Unsent(form.dataset.who, start, form.dataset.login);
let turn = Promise.resolve();
let offline = false;
let why = ""; // why they wait for a person, not for the network: the name of what #unsent says
let again;

form?.addEventListener("submit", (event) => {
  const text = field.value.trim();
  if (event.defaultPrevented || !text) return;
  event.preventDefault();
  field.value = "";
  if (offline && misread(text)) return refuse(text);
  unsent.add(text, carried());
  if (offline) keptFor(text);
  say();
  drain();
});

// The fields that the next scan goes on from: those beside the scan field, or of the form that is
// being filled, which has them newer.
function carried() {
  const filled = document.querySelector("form[data-carried]");
  const newer = filled ? [...new FormData(filled)] : [];
  const names = new Set(newer.map(([name]) => name));
  const beside = [...new FormData(form)].filter(([name]) => !names.has(name));
  return [...beside, ...newer].filter(([name, value]) => name !== "csrf_token" && name !== "text" && value);
}

function drain() {
  if (!unsent) return;
  turn = turn
    .then(() => navigator.locks ? navigator.locks.request(unsent.key, sendAll) : sendAll()) // one tab at a time
    .finally(say);
}

async function sendAll() {
  clearTimeout(again);
  for (;;) {
    const [scan] = unsent.scans;
    if (!scan || (unsent.stopped && !scan.first)) return;
    if (!(await send(scan))) {
      if (!why) again = setTimeout(drain, AGAIN_MS);
      return;
    }
  }
}

// True when it was answered; false when it waits for the network, or for somebody to sign in.
async function send(scan) {
  const draft = unsent.draft ?? carried();
  const body = new FormData();
  for (const [name, value] of draft) body.append(name, value);
  body.set("text", scan.text);
  const waited = Date.now() - scan.at;
  if (waited > SAID_AS_WAITED_MS) body.set("waited", String(Math.round(waited / 1000)));
  let answer, page;
  try {
    answer = await post(body);
    if (!answer) return held("another");
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return away();
  }
  if (AWAY.has(answer.status)) return away();
  const path = new URL(answer.url).pathname;
  if (path === "/login") {
    location.assign(`/login?waiting=1&next=${encodeURIComponent(location.pathname)}`);
    return false; // it is sent when somebody has signed in and this page is back
  }
  // Only a page that answers this scan ends it: not one of ours that broke or refused the whole
  // request, nor whatever else stands between this browser and the laboratory.
  const next = page.querySelector("form.scan");
  if (answer.status >= 500 || !next || answer.headers.has("X-Problem")) return held("broken");
  if (next.dataset.who !== form.dataset.who) return held("another");
  offline = false;
  why = "";
  const elsewhere = next.getAttribute("action") !== form.getAttribute("action");
  if (elsewhere && answer.redirected) {
    unsent.answered(scan.id, null, false);
    if (unsent.scans.length) return true; // the rest first; then whoever scanned goes on here
    location.assign(answer.url);
    return true;
  }
  put(page, next);
  const at = answer.headers.get("X-At") ?? (answer.redirected ? answer.url : null);
  if (at) history.replaceState(null, "", at);
  const stop = form.dataset.stops !== undefined && Boolean(document.querySelector("main [data-stop]"));
  unsent.answered(scan.id, carried(), stop);
  sound(document.querySelector("main"));
  say();
  return true;
}

// The answer; null when this browser's session has become another person's.
async function post(body) {
  body.set("csrf_token", form.elements.csrf_token.value);
  const headers = { Accept: "text/html", "X-Scan": "1", "X-Who": form.dataset.who };
  const options = { method: "POST", body, headers };
  const answer = await fetch(start, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.status !== 403 || answer.headers.get("X-Problem") !== "csrf") return answer;
  // Somebody signed in again in another tab: this page's token is of the session before. When it
  // was somebody else, nothing goes out in their name.
  const fresh = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await fresh.text(), "text/html");
  const theirs = page.querySelector("form.scan");
  if (!theirs) return fresh;
  if (theirs.dataset.who !== form.dataset.who) return null;
  const token = theirs.querySelector("[name=csrf_token]").value;
  form.elements.csrf_token.value = token;
  body.set("csrf_token", token);
  return fetch(start, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
}

// A form or link that stays on the page (data-swap) is sent the same way, in its turn.
document.addEventListener("submit", (event) => {
  const asked = event.target;
  if (event.defaultPrevented || asked.dataset.swap === undefined) return;
  event.preventDefault();
  const body = new FormData(asked, event.submitter);
  const reads = asked.method === "get";
  const address = reads ? `${asked.action}?${new URLSearchParams(body)}` : asked.action;
  turn = turn.then(() => swap(address, reads ? {} : { method: "POST", body }, asked));
});

async function swap(address, how, asked) {
  try {
    const answer = await fetch(address, { ...how, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("form.scan");
    const same = next?.getAttribute("action") === start && next.dataset.who === form.dataset.who;
    if (!same) {
      location.assign(answer.redirected ? answer.url : new URL(answer.url).pathname);
      return;
    }
    put(page, next, matchMedia("(pointer: fine)").matches);
    if (answer.redirected) history.replaceState(null, "", answer.url);
    else if (!how.method) history.replaceState(null, "", address);
    if (how.method) sound(document.querySelector("main"));
  } catch {
    if (asked) delete asked.dataset.sent; // nothing was lost: it may be pressed again
  }
}

// Something on the page has become true by itself (a clock ran out). Not under somebody's hands.
document.addEventListener("look-again", () => {
  const busy = document.querySelector("main :is(input:not([type=hidden]), textarea):focus");
  if (!busy?.value) turn = turn.then(() => swap(location.href, {}, null));
});

function put(page, next, focus = true) {
  form.querySelectorAll("input[type=hidden]").forEach((input) => input.remove());
  form.prepend(...next.querySelectorAll("input[type=hidden]"));
  const at = document.querySelector("nav.modes")?.scrollLeft;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  if (at) document.querySelector("nav.modes")?.scrollTo({ left: at });
  field.placeholder = page.getElementById("scan").placeholder;
  showSwitch();
  const typing = field.value && document.activeElement === field; // the next scan is being typed
  if (focus && !typing) {
    (document.querySelector("main [aria-invalid='true'], main [autofocus]") || field).focus({ preventScroll: true });
  }
}

// Kept, and nothing is sent by itself until the page is loaded again or somebody presses.
function held(reason) {
  offline = false;
  why = reason;
  play("bad");
  return false;
}

function away() {
  why = "";
  if (!offline) {
    offline = true;
    const last = unsent.scans.at(-1);
    if (last) keptFor(last.text);
  }
  return false;
}

// ---- what is said of the scans that wait

function say() {
  if (!notice) return;
  const waiting = unsent.scans.length, stopped = unsent.stopped, others = unsent.others;
  const words = [];
  if (offline && waiting) words.push(`⚠ ${notice.dataset.offline}`);
  if (waiting && why) words.push(`⚠ ${notice.dataset[why]}`);
  if (waiting > 1 || (waiting && (offline || stopped || why))) words.push(`${waiting} ${notice.dataset.unsent}`);
  if (waiting && unsent.onlyHere) words.push(notice.dataset.full);
  if (others.waiting) words.push(`${others.waiting} ${notice.dataset.others} ${others.logins.join(", ")}`);
  notice.querySelector("span").textContent = words.join(" · ");
  notice.querySelector("[data-go-on]").hidden = !stopped || Boolean(why);
  notice.querySelector("[data-delete]").hidden = !waiting || !(offline || stopped || why);
  notice.querySelector("[data-delete-others]").hidden = !others.waiting;
  notice.querySelector("[data-again]").hidden = why !== "broken";
  notice.hidden = !words.length;
  document.documentElement.dataset.unsent = String(waiting);
}

// The last scan, large, in the colour of "careful": it is kept, and nobody has answered it.
function keptFor(text) {
  const block = document.createElement("section");
  block.className = "answer careful kept";
  block.setAttribute("role", "alert");
  const big = document.createElement("div");
  big.className = "big";
  big.textContent = `⚠ ${text.includes("|") ? text.split("|").find((part) => /\p{L}{2}/u.test(part)) ?? "" : text.toUpperCase()}`;
  const says = document.createElement("p");
  says.textContent = notice.dataset.kept;
  block.append(big, says);
  show(block);
  play("careful");
}

function refuse(text) {
  const block = document.createElement("section");
  block.className = "answer bad kept";
  block.setAttribute("role", "alert");
  const big = document.createElement("div");
  big.className = "big code";
  big.textContent = `✗ ${text}`;
  const says = document.createElement("p");
  says.textContent = notice.dataset.misread;
  block.append(big, says);
  show(block);
  play("bad");
}

function show(block) {
  const main = document.querySelector("main");
  const old = main.querySelector(".answer");
  if (old) old.replaceWith(block);
  else (main.querySelector(".stack") ?? main).prepend(block);
}

notice?.querySelector("[data-go-on]").addEventListener("click", () => {
  unsent.goOn();
  drain();
});
document.addEventListener("unsent-deleted", () => { why = ""; say(); });
notice?.querySelector("[data-again]").addEventListener("click", drain);
window.addEventListener("beforeunload", (event) => { if (unsent?.onlyHere) event.preventDefault(); });
window.addEventListener("online", drain);
window.addEventListener("pageshow", (event) => { if (event.persisted) { say(); drain(); } });
document.addEventListener("visibilitychange", () => { if (!document.hidden) drain(); });
if (unsent) {
  showSwitch();
  say();
  if (!unsent.scans.length) sound(document.querySelector("main"));
  drain();
}
