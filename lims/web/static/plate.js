// The plate is one stop of the Tab key: arrows walk its wells, Home and End its rows. What a well
// says to a screen reader is written out under the plate for whoever points at it.

const wells = (plate) => [...plate.querySelectorAll(":scope > .well")];
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function oneStop() {
  const plate = document.querySelector("main .plate");
  if (!plate || plate.dataset.walked) return;
  plate.dataset.walked = "yes";
  const all = wells(plate);
  const first = all.find((well) => well.matches(".next, .chosen")) || all[0];
  all.forEach((well) => { well.tabIndex = well === first ? 0 : -1; });
  const room = plate.parentElement;
  if (first && room.scrollWidth > room.clientWidth) {
    room.scrollLeft = first.offsetLeft - room.offsetLeft - room.clientWidth / 2;
  }
}

function say(well) {
  const line = document.querySelector("main .pointed");
  if (line) line.textContent = well ? well.getAttribute("aria-label") : line.dataset.idle;
}

document.addEventListener("keydown", (event) => {
  const well = event.target.closest?.(".plate > .well");
  if (!well || event.ctrlKey || event.altKey || event.metaKey) return;
  const all = wells(well.parentElement);
  const columns = Number(well.parentElement.dataset.columns);
  const at = all.indexOf(well);
  const row = Math.floor(at / columns);
  let to = at;
  if (event.key === "Home") to = row * columns;
  else if (event.key === "End") to = row * columns + columns - 1;
  else if (STEPS[event.key]) {
    const [down, right] = STEPS[event.key];
    const column = (at % columns) + right;
    if (column < 0 || column >= columns) return;
    to = (row + down) * columns + column;
  } else return;
  event.preventDefault();
  if (!all[to]) return;
  well.tabIndex = -1;
  all[to].tabIndex = 0;
  all[to].focus();
});

for (const kind of ["focusin", "mouseover"]) {
  document.addEventListener(kind, (event) => {
    const well = event.target.closest?.(".plate > .well");
    if (well) say(well);
  });
}
document.addEventListener("mouseout", (event) => {
  if (event.target.closest?.(".plate > .well")) say(document.activeElement?.closest?.(".plate > .well"));
});

oneStop();
new MutationObserver(oneStop).observe(document.body, { childList: true });
