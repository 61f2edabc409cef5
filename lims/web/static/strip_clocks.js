// How long until a strip may be read, and how long it still may. The laboratory's clock decides: a
// page is told how many seconds are left and counts them down with a stopwatch, never with the
// browser's clock. At zero, and after the telephone slept, it asks again what is true now.

const seen = new WeakMap();

function tick() {
  let over = false;
  document.querySelectorAll("[data-left]").forEach((clock) => {
    if (!seen.has(clock)) seen.set(clock, { from: performance.now(), over: false });
    const watch = seen.get(clock);
    const left = Math.ceil(Number(clock.dataset.left) - (performance.now() - watch.from) / 1000);
    clock.textContent = said(Math.max(0, left));
    if (left < 0 && !watch.over) over = watch.over = true;
  });
  if (over) document.dispatchEvent(new CustomEvent("look-again"));
}

const said = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && document.querySelector("[data-left]")) document.dispatchEvent(new CustomEvent("look-again"));
});
setInterval(tick, 500);
