// What was scanned and has not reached the laboratory: kept in this browser, in order, over a
// reload and over a closed tab, until it was answered; then nothing of it stays. A list belongs to
// who scanned it and to the page it was scanned on, with the draft it goes on from: the ids in the
// draft make a scan that is sent twice one registration.

const PREFIX = "lims.unsent.";
const DROPPED = "lims.dropped";
const KEPT_MS = 3 * 24 * 3600 * 1000;
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

const listed = (key) => {
  try {
    const kept = JSON.parse(read(key));
    if (kept && Array.isArray(kept.scans)) return kept;
  } catch { /* what we did not write counts as nothing */ }
  return { scans: [], draft: null, stopped: false };
};

function lists() {
  const keys = new Set(spare.keys());
  try {
    for (let n = 0; n < localStorage.length; n += 1) keys.add(localStorage.key(n));
  } catch { /* then there are those of this page */ }
  return [...keys].filter((key) => key.startsWith(PREFIX));
}

const ofOthers = (who) => lists().filter((key) => !key.startsWith(`${PREFIX}${who}.`));
const ofPerson = (who) => lists().filter((key) => key.startsWith(`${PREFIX}${who}.`));

// Of every desk at which this person scanned.
export const waitingOf = (who) => ofPerson(who).flatMap((key) => listed(key).scans);
export const discardOf = (who) => ofPerson(who).forEach((key) => write(key, null));

// On a tablet that goes from hand to hand: whoever holds it now may delete what others left, whose
// cards anybody could read in it otherwise. How many of each login; never what was scanned.
export function othersThan(who) {
  const counts = new Map();
  for (const { login, scans } of ofOthers(who).map(listed)) {
    counts.set(login ?? "?", (counts.get(login ?? "?") ?? 0) + scans.length);
  }
  return [...counts].filter(([, waiting]) => waiting);
}
export const discardOthersThan = (who) => ofOthers(who).forEach((key) => write(key, null));

// People's cards do not lie in a browser for ever. A list goes as a whole, three days after its
// last scan: a label that outlived its card would go to the next person's name.
export function expire() {
  let gone = 0;
  for (const key of lists()) {
    const { scans } = listed(key);
    if (scans.some((scan) => Date.now() - scan.at < KEPT_MS)) continue;
    gone += scans.length;
    write(key, null);
  }
  if (gone) write(DROPPED, String(dropped() + gone));
}
export const dropped = () => Number(read(DROPPED)) || 0;
export const droppedIsKnown = () => write(DROPPED, null);

export class Unsent {
  constructor(who, path, login) {
    this.who = who;
    this.login = login;
    this.key = `${PREFIX}${who}.${path}`;
  }

  #kept() {
    return listed(this.key);
  }

  #keep(kept) {
    write(this.key, kept.scans.length ? JSON.stringify({ ...kept, login: this.login }) : null);
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

  // Scans of other people in this browser: theirs to send, ours only to count and to say whose.
  get others() {
    const theirs = othersThan(this.who);
    return {
      waiting: theirs.reduce((sum, [, waiting]) => sum + waiting, 0),
      logins: theirs.map(([login]) => login).filter((login) => login !== "?"),
    };
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
