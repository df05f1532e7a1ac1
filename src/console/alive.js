// Whether the site answers. It is heard of at least once a second (the stream's `alive`); after a longer silence the page
// says so, since when, and that all it shows is as last known.

/** The site is silent when nothing was heard of it for so long. With a look each quarter of a second that is said within 3 s. */
const SILENT_MS = 2500;
export const LOOK_EVERY_MS = 250;

export class Watch {
  /** `now` is a clock of milliseconds that nobody can set. */
  constructor(now, { silent, back }) {
    Object.assign(this, { now, onSilent: silent, onBack: back, heardAt: now(), silent: false });
  }

  /** The site said something. */
  heard() {
    this.heardAt = this.now();
    if (!this.silent) return;
    this.silent = false;
    this.onBack();
  }

  /** Tells how long the site has been silent, again at each look, and whether that is new. */
  look() {
    const silence = this.now() - this.heardAt;
    if (silence < SILENT_MS) return;
    const isNew = !this.silent;
    this.silent = true;
    this.onSilent(silence, isNew);
  }
}

const hour = (date) => date.toTimeString().slice(0, 8);

/** The banner over the page, and all below it in grey; with `null` they go. `date` is what this machine's clock says. */
export function showSilence(page, silence, date) {
  const banner = page.getElementById("silent");
  page.body.classList.toggle("unanswered", silence !== null);
  banner.hidden = silence === null;
  page.title = page.title.replace(/^✕ no answer · /, "");
  if (silence === null) return;
  page.title = `✕ no answer · ${page.title}`;
  const since = hour(new Date(date - silence));
  const time = banner.querySelector("time");
  // A reader says the banner once, not each second.
  if (time.textContent !== since) time.textContent = since;
  banner.querySelector("span").textContent = `, ${Math.round(silence / 1000)} s ago`;
}
