// The voice list shows whom to ring as it is now: when the board's stream says that a case, a claim
// or a call has changed, the page is fetched and put in block by block. A form somebody fills stays
// as it was, with the moment it was shown: what came since was not spoken of. Above it stands that
// something changed. Without JavaScript the page is the same, by reloading.

const voice = document.querySelector("[data-voice]");
const page = voice.closest("main");
const GATHER_MS = 400;
const EVERY_MS = 60_000; // waits grow, and a team spoken with comes back by itself

let stream;
let due;
let asking = false;
let again = false;

const show = (name, on) => {
  for (const part of page.querySelectorAll(`[data-when="${name}"]`)) part.hidden = !on;
};

// Under somebody's hands: a field has the focus or holds something, or a button is being pressed.
function held(block) {
  if (block.querySelector("input:focus, select:focus, :active")) return true;
  const noted = [...block.querySelectorAll("input:not([type=hidden])")].some((field) => field.value.trim());
  return noted || [...block.querySelectorAll("select")].some((field) => field.selectedIndex !== 0);
}

// What a person sees of it: not which form it is, nor when it was rendered.
function seen(block) {
  const copy = block.cloneNode(true);
  for (const hidden of copy.querySelectorAll("input[type=hidden], [data-meanwhile], [data-wait]")) hidden.remove();
  for (const more of copy.querySelectorAll("details")) more.open = false;
  copy.removeAttribute("class");
  return copy.outerHTML;
}

function meanwhile(block, what) {
  for (const line of block.querySelectorAll("[data-meanwhile]")) line.hidden = line.dataset.meanwhile !== what;
}

const reachable = (block) => [...block.querySelectorAll("a, button, summary")];

function swap(old, fresh) {
  const more = old.querySelector("details");
  if (more?.open) fresh.querySelector("details")?.setAttribute("open", "");
  const place = reachable(old).indexOf(document.activeElement);
  old.replaceWith(fresh);
  if (place >= 0) reachable(fresh)[place]?.focus({ preventScroll: true });
}

// The block that stands on the page for this fresh one.
function settled(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old) {
    fresh.classList.add("changed");
    if (fresh.matches(".ring")) {
      const news = page.querySelector("[data-news]");
      news.textContent = news.dataset.said;
    }
    return fresh;
  }
  if (seen(old) === seen(fresh)) {
    const each = (what, act) => {
      const is = fresh.querySelectorAll(what);
      old.querySelectorAll(what).forEach((part, one) => act(part, is[one]));
    };
    each("[data-wait]", (part, now) => part.replaceChildren(...now.childNodes));
    if (!held(old)) each("input[name=as_of]", (field, now) => { field.value = now.value; });
    meanwhile(old, null);
    return old;
  }
  if (held(old)) {
    meanwhile(old, "changed");
    return old;
  }
  swap(old, fresh);
  return fresh;
}

function put(text) {
  const found = new DOMParser().parseFromString(text, "text/html").querySelector("[data-voice]");
  if (!found) return;
  const wanted = [...found.children].map(settled);
  for (const old of [...voice.children]) {
    if (wanted.includes(old)) continue;
    if (held(old)) meanwhile(old, "gone");
    else old.remove();
  }
  let before = null;
  for (const block of wanted) {
    const there = before ? before.nextElementSibling : voice.firstElementChild;
    if (block !== there && !(block.isConnected && held(block))) {
      if (before) before.after(block);
      else voice.prepend(block);
    }
    before = block;
  }
}

async function lookAgain() {
  due = undefined;
  if (document.hidden) return;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) put(await answer.text());
  } catch {
    // The network is away: what is shown stays, and the stream says so.
  } finally {
    asking = false;
  }
  if (!again) return;
  again = false;
  await lookAgain();
}

function soon() {
  due ??= setTimeout(lookAgain, GATHER_MS);
}

function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource(voice.dataset.voice);
  stream.onopen = () => {
    show("live", true);
    show("lost", false);
    soon(); // whatever happened before it listened
  };
  stream.onerror = () => {
    show("live", false);
    show("lost", true);
    if (stream.readyState === EventSource.CLOSED) { // signed out, or the server is going
      stop();
      setTimeout(listen, 10_000);
    }
  };
  for (const name of ["case", "call", "reset"]) stream.addEventListener(name, soon);
}

function stop() {
  stream?.close();
  stream = undefined;
}

// Whoever lets go of a form sees what was kept back.
voice.addEventListener("focusout", () => {
  if (voice.querySelector("[data-meanwhile]:not([hidden])")) soon();
});
page.querySelector("[data-lines]").hidden = false;
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
window.addEventListener("pagehide", stop);
setInterval(soon, EVERY_MS);
listen();
