// What was scanned and has not reached the laboratory: kept in this browser, in order, over a
// reload and over a closed tab, until it was answered; then nothing of it stays. A list belongs to
// who scanned it and to the page it was scanned on, with the draft it goes on from: the ids in the
// draft make a scan that is sent twice one registration.

const PREFIX = "lims.unsent.";
// Where the browser keeps nothing (a private window, no room left): for this page only, and newer
// than whatever the browser still has under the key. A null here is a list that was emptied.
const spare = new Map();

const read = (key) => {
  if (spare.has(key)) return spare.get(key);
  try { return localStorage.getItem(key); } catch { return null; }
};
const write = (key, value) => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    spare.delete(key);
  } catch {
    spare.set(key, value);
  }
};

export class Unsent {
  constructor(who, path) {
    this.who = who;
    this.key = `${PREFIX}${who}.${path}`;
  }

  #kept() {
    try {
      const kept = JSON.parse(read(this.key));
      if (kept && Array.isArray(kept.scans)) return kept;
    } catch { /* what we did not write counts as nothing */ }
    return { scans: [], draft: null, stopped: false };
  }

  #keep(kept) {
    write(this.key, kept.scans.length ? JSON.stringify(kept) : null);
  }

  get scans() { return this.#kept().scans; }
  get draft() { return this.#kept().draft; }
  get stopped() { return this.#kept().stopped; }
  get onlyHere() { return Boolean(spare.get(this.key)); } // gone when this page is closed

  // One more at the end; while a person has something to decide, the answer goes to the front.
  add(text, draft) {
    const kept = this.#kept();
    const scan = { id: mint(), text, at: Date.now() };
    if (kept.stopped) kept.scans.unshift({ ...scan, first: true });
    else kept.scans.push(scan);
    kept.draft ??= draft;
    this.#keep(kept);
    return scan;
  }

  // The first was answered; the next goes on from what the page now carries.
  answered(id, draft, stopped) {
    const kept = this.#kept();
    kept.scans = kept.scans.filter((scan) => scan.id !== id);
    kept.draft = draft;
    kept.stopped = stopped && kept.scans.length > 0;
    this.#keep(kept);
  }

  goOn() {
    this.#keep({ ...this.#kept(), stopped: false });
  }

  // Scans of other people in this browser: theirs to send, ours only to count.
  othersWaiting() {
    let waiting = 0;
    try {
      for (let n = 0; n < localStorage.length; n += 1) {
        const key = localStorage.key(n);
        if (!key.startsWith(PREFIX) || key.startsWith(`${PREFIX}${this.who}.`)) continue;
        waiting += JSON.parse(localStorage.getItem(key)).scans.length;
      }
    } catch { /* nothing to count */ }
    return waiting;
  }
}

function mint() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A label that cannot be right is said so at once, network or none (ISO/IEC 7064, MOD 37,36).
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
export function misread(text) {
  const label = text.replace(/[\s‐-―−-]+/g, "").toUpperCase();
  if (!/^[0-9A-Z]{11}$/.test(label) || !/\d/.test(label) || /\s/.test(text.trim())) return false;
  let product = 36;
  for (const character of label.slice(0, 10)) {
    product = (product + ALPHABET.indexOf(character)) % 36 || 36;
    product = (product * 2) % 37;
  }
  return ALPHABET[(37 - product) % 36] !== label[10];
}
