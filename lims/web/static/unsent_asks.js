// What is asked about scans that wait in this browser, on every page: before somebody signs out and
// leaves them, before they are deleted; and what is said when they were too old.

import {
  discardOf, discardOthersThan, dropped, droppedIsKnown, expire, othersThan, waitingOf,
} from "./unsent.js";

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

const mine = () => waitingOf(who).map((scan) => {
  const name = scan.text.split("|").find((part) => /\p{L}{2}/u.test(part));
  return scan.text.includes("|") ? name ?? "" : scan.text.toUpperCase();
});
const theirs = () => othersThan(who).map(([login, waiting]) => `${login}: ${waiting}`);

function ask(dialog, entries) {
  dialog.querySelector("ol").replaceChildren(...entries.map((words) => {
    const entry = document.createElement("li");
    entry.textContent = words;
    return entry;
  }));
  dialog.returnValue = "";
  dialog.showModal();
}

function discard(those = discardOf) {
  those(who);
  document.dispatchEvent(new Event("unsent-deleted"));
}

let those = discardOf;
document.querySelector("#unsent [data-delete]").addEventListener("click", () => {
  those = discardOf;
  ask(deleting, mine());
});
document.querySelector("#unsent [data-delete-others]").addEventListener("click", () => {
  those = discardOthersThan;
  ask(deleting, theirs());
});
deleting.addEventListener("close", () => { if (deleting.returnValue === "delete") discard(those); });

let decided = false;
signOut?.addEventListener("submit", (event) => {
  if (decided || !waitingOf(who).length) return;
  event.preventDefault();
  ask(leaving, mine());
});
leaving.addEventListener("close", () => {
  if (!["keep", "delete"].includes(leaving.returnValue)) return;
  if (leaving.returnValue === "delete") discard();
  decided = true;
  signOut.requestSubmit();
});
