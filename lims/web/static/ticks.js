// A form that acts on ticked rows: its button says how many there are, one tick takes all, and
// with shift a tick takes everything between. A form touched by hand is not refreshed (live.js).

const boxes = (form) => [...form.querySelectorAll("tbody input[type=checkbox]")];
let last;

function say() {
  for (const form of document.querySelectorAll("form[data-ticks]")) {
    const all = boxes(form);
    const on = all.filter((box) => box.checked).length;
    for (const count of form.querySelectorAll("[data-count]")) count.textContent = on.toLocaleString(document.documentElement.lang);
    for (const button of form.querySelectorAll("[data-needs-ticks]")) button.disabled = on === 0;
    const every = form.querySelector("[data-every]");
    if (!every) continue;
    every.checked = on > 0 && on === all.length;
    every.indeterminate = on > 0 && on < all.length;
  }
}

document.addEventListener("click", (event) => {
  const box = event.target;
  const form = box.matches?.("input[type=checkbox]") && box.closest("form[data-ticks]");
  if (!form) return;
  const all = boxes(form);
  form.dataset.touched = "";
  if (box.dataset.every !== undefined) for (const one of all) one.checked = box.checked;
  else if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  say();
});

document.addEventListener("refreshed", say);
say();
