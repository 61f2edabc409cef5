// Hands stay on the scanner: Esc goes to the scan field, a button's letter presses it, and a letter
// typed alone into the scan field does too. Letters that come faster than fingers are a scanner's,
// wherever the cursor stands: they go to the scan field and press nothing.

const scan = document.getElementById("scan");

const typing = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || ["TEXTAREA", "SELECT"].includes(element.tagName) ||
    (element.tagName === "INPUT" && !["checkbox", "radio", "submit", "button"].includes(element.type)));

const onAButton = (event) => event.key === " " && event.target.matches?.("a, button, summary, input");

function press(letter) {
  const key = letter.toUpperCase();
  const target = [...document.querySelectorAll("[data-key]")]
    .find((element) => element.dataset.key === key && !element.disabled && element.offsetParent);
  target?.click();
  return Boolean(target);
}

const FINGERS_MS = 120; // a scanner's next letter comes within 50 ms, a person's does not
let burst = "";
let alone;

function strayed(event) {
  burst += event.key;
  clearTimeout(alone);
  event.preventDefault();
  if (burst.length === 1) {
    alone = setTimeout(() => { const letter = burst; burst = ""; press(letter); }, FINGERS_MS);
    return;
  }
  scan.value = burst; // what follows, and Enter, comes into the field by itself
  burst = "";
  scan.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.isComposing) return;
  if (event.key === "Escape") {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
    if (scan) { scan.value = ""; scan.focus(); }
    return;
  }
  if (event.altKey) {
    if (press(event.code.replace("Key", ""))) event.preventDefault();
  } else if (event.key.length === 1 && !typing(event.target) && !onAButton(event)) {
    if (scan) strayed(event);
    else if (press(event.key)) event.preventDefault();
  }
});

scan?.form.addEventListener("submit", (event) => {
  const text = scan.value.trim();
  if (!text) event.preventDefault();
  if (text.length === 1 && press(text)) {
    event.preventDefault();
    scan.value = "";
  }
});

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

// One press, one deed: a second click on a form already on its way is not sent. A button with
// data-again (a download) leaves the page where it is and may be pressed again.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.submitter?.dataset.again !== undefined) return;
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  else if (form.method === "post") form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
});

// On a telephone the way one is at may stand beyond the edge.
const mode = document.querySelector("nav.modes [aria-current]");
if (mode) mode.parentElement.scrollTo({ left: mode.offsetLeft - mode.parentElement.offsetLeft - 20 });

// A form that came back: straight to the first field to correct.
const faulty = document.querySelector("main [aria-invalid='true']");
faulty?.focus();

// A keyboard and a scanner are at hand (no touch keyboard to pop up): be ready for the next tube.
if (scan && !faulty && !document.querySelector("[autofocus]") && matchMedia("(pointer: fine)").matches) {
  scan.focus({ preventScroll: true });
}
