// Three answers that nobody mixes up without looking: good rises, careful repeats one tone, bad is
// low, rough and long. Drawn as tones by the browser, so that no file is loaded. The switch is
// remembered in this browser; a browser plays nothing before the first key or touch of a page.

const KEY = "lims.muted";
const PATTERNS = {
  good: [["sine", 880, 0, 0.09], ["sine", 1320, 0.1, 0.14]],
  half: [["sine", 660, 0, 0.06]],
  careful: [["triangle", 520, 0, 0.12], ["triangle", 520, 0.2, 0.12], ["triangle", 520, 0.4, 0.12]],
  bad: [["sawtooth", 170, 0, 0.28], ["sawtooth", 130, 0.32, 0.42]],
};
let player;

export const muted = () => {
  try { return localStorage.getItem(KEY) === "1"; } catch { return false; }
};

export function play(kind) {
  const pattern = PATTERNS[kind];
  if (!pattern) return;
  document.documentElement.dataset.sounded = kind; // what was heard, for tests and for the deaf
  if (muted() || !window.AudioContext) return;
  try {
    player ??= new AudioContext();
    if (player.state === "suspended") player.resume();
    for (const [shape, hertz, after, lasting] of pattern) tone(shape, hertz, player.currentTime + after, lasting);
  } catch {
    // No sound here; the answer is on the page in words and colour.
  }
}

function tone(shape, hertz, at, lasting) {
  const source = player.createOscillator(), volume = player.createGain();
  source.type = shape;
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.25, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + lasting);
  source.connect(volume).connect(player.destination);
  source.start(at);
  source.stop(at + lasting + 0.02);
}

// What the page answers: the first block that says so, or the colour of the large answer.
export function sound(main) {
  const said = main.querySelector("[data-sound]")?.dataset.sound;
  const answer = main.querySelector(".answer:not(.idle)");
  const kind = said || (answer && ["bad", "careful", "good"].find((one) => answer.classList.contains(one)));
  if (kind) play(kind);
  else delete document.documentElement.dataset.sounded;
}

export function showSwitch(root = document) {
  for (const button of root.querySelectorAll("[data-mute]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(!muted()));
    button.textContent = muted() ? button.dataset.off : button.dataset.on;
  }
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-mute]")) return;
  try { localStorage.setItem(KEY, muted() ? "0" : "1"); } catch { /* not remembered, then */ }
  showSwitch();
  if (!muted()) play("good");
});
