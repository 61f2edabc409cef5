// What is asked about scans that wait in this browser, on every page: before somebody signs out and
// leaves them, before they are deleted; and what is said when they were too old.

import { discardOf, dropped, droppedIsKnown, expire, waitingOf } from "./unsent.js";

const who = document.querySelector("form.scan")?.dataset.who;
const line = document.getElementById("dropped");
const deleting = document.getElementById("delete-unsent");
const leaving = document.getElementById("leave-unsent");
const signOut = document.querySelector("form[action='/logout']");

expire();
line.querySelector("span").textContent = `${dropped()} ${line.dataset.dropped}`;
line.hidden = !dropped();
line.querySelector("button").addEventListener("click", () => {
  droppedIsKnown();
  line.hidden = true;
});

function ask(dialog) {
  const list = dialog.querySelector("ol");
  list.replaceChildren(...waitingOf(who).map((scan) => {
    const entry = document.createElement("li");
    const name = scan.text.split("|").find((part) => /\p{L}{2}/u.test(part));
    entry.textContent = scan.text.includes("|") ? name ?? "" : scan.text.toUpperCase();
    return entry;
  }));
  dialog.returnValue = "";
  dialog.showModal();
}

function discard() {
  discardOf(who);
  document.dispatchEvent(new Event("unsent-deleted"));
}

document.querySelector("#unsent [data-delete]").addEventListener("click", () => ask(deleting));
deleting.addEventListener("close", () => { if (deleting.returnValue === "delete") discard(); });

let decided = false;
signOut?.addEventListener("submit", (event) => {
  if (decided || !waitingOf(who).length) return;
  event.preventDefault();
  ask(leaving);
});
leaving.addEventListener("close", () => {
  if (!["keep", "delete"].includes(leaving.returnValue)) return;
  if (leaving.returnValue === "delete") discard();
  decided = true;
  signOut.requestSubmit();
});
