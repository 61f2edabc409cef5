// Where many things are scanned in a row the page does not reload: each scan is posted in its turn,
// what comes back takes the place of <main>, and the hands stay on the scanner. A form that is
// being filled (data-carried) goes along, so that a scan never empties what was typed.

const form = document.querySelector("form.scan");
const field = document.getElementById("scan");
let turn = Promise.resolve();

form?.addEventListener("submit", (event) => {
  const text = field.value.trim();
  if (event.defaultPrevented || !text) return;
  event.preventDefault();
  field.value = "";
  turn = turn.then(() => send(text));
});

async function send(text) {
  const body = new FormData(form);
  const draft = document.querySelector("form[data-carried]");
  if (draft) {
    const names = new Set([...new FormData(draft).keys()]);
    names.forEach((name) => body.delete(name));
    for (const [name, value] of new FormData(draft)) body.append(name, value);
  }
  body.set("text", text);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    await shown(answer);
  } catch {
    away(text);
  }
}

// The page that came back takes the place of this one; one that scans elsewhere is gone to.
async function shown(answer, focus = true) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("form.scan");
  if (!next || new URL(next.action, location.href).pathname !== new URL(form.action).pathname) {
    location.assign(answer.redirected ? answer.url : new URL(answer.url).pathname);
    return;
  }
  put(page, next, focus);
  if (answer.redirected) history.replaceState(null, "", answer.url);
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
    await shown(answer, matchMedia("(pointer: fine)").matches);
    if (!how.method) history.replaceState(null, "", address);
  } catch {
    if (asked) delete asked.dataset.sent; // nothing was lost: it may be pressed again
  }
}

// Something on the page has become true by itself (a clock ran out). Not under somebody's hands.
document.addEventListener("look-again", () => {
  const busy = document.querySelector("main :is(input:not([type=hidden]), textarea):focus");
  if (!busy?.value) turn = turn.then(() => swap(location.href, {}, null));
});

function put(page, next, focus) {
  form.querySelectorAll("input[type=hidden]").forEach((input) => input.remove());
  form.prepend(...next.querySelectorAll("input[type=hidden]"));
  const at = document.querySelector("nav.modes")?.scrollLeft;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  if (at) document.querySelector("nav.modes")?.scrollTo({ left: at });
  const way = document.querySelector("nav.way");
  if (way && page.querySelector("nav.way")) way.innerHTML = page.querySelector("nav.way").innerHTML;
  field.placeholder = page.getElementById("scan").placeholder;
  if (focus) (document.querySelector("main [aria-invalid='true'], main [autofocus]") || field).focus({ preventScroll: true });
}

function away(text) {
  field.value = text; // nothing was lost: the same scan may be sent again
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

field?.addEventListener("input", () => field.removeAttribute("aria-invalid"));
