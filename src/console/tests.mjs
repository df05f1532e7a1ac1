// Runs the page's scripts on a page that is a stub, with a site and a time that are made up. Each test throws where it fails.

import assert from "node:assert/strict";

class Node {
  constructor(name = "") {
    Object.assign(this, { name, hidden: false, className: "", dataset: {}, children: [], attributes: {}, parts: {}, own: "" });
    this.classes = new Set();
    this.classList = { toggle: (word, on) => { if (on) this.classes.add(word); else this.classes.delete(word); } };
  }
  get textContent() { return this.own + this.children.map((child) => child.textContent ?? child).join(""); }
  set textContent(text) { this.own = text; this.children = []; }
  get parentElement() { return this.parent ??= new Node(); }
  get tBodies() { return [this.querySelector("tbody")]; }
  querySelector(selector) { return (this.parts[selector] ??= new Node(selector)); }
  setAttribute(key, value) { this.attributes[key] = value; }
  append(...more) { this.children.push(...more); }
  replaceChildren(...all) { this.own = ""; this.children = all; }
  contains() { return false; }
  addEventListener() {}
}

const byId = {};
const device = Object.assign(new Node(), { dataset: { device: "SZX/line-1/scale" } });
const station = Object.assign(new Node(), { dataset: { station: "SZX/line-1" } });
const list = Object.assign(new Node(), { dataset: { down: "SZX" } });
const found = { "[data-device]": [device], "[data-station]": [station], "[data-down]": [list] };
const body = Object.assign(new Node(), { dataset: { after: "7" } });
globalThis.document = {
  title: "quick-start", hidden: false, body, activeElement: null,
  getElementById: (id) => (byId[id] ??= new Node(id)),
  querySelectorAll: (selector) => found[selector] ?? [],
  createElement: (name) => new Node(name),
};
globalThis.location = { hash: "" };
globalThis.addEventListener = () => {};
globalThis.matchMedia = () => ({ matches: false });
globalThis.requestAnimationFrame = () => {};
AbortSignal.timeout = (ms) => ({ ms });

// Time.
let now = 0;
let timers = [];
const setTimer = (then, ms, every) => timers.push({ at: now + ms, then, every });
globalThis.setTimeout = (then, ms) => setTimer(then, ms);
globalThis.setInterval = (then, ms) => setTimer(then, ms, ms);
Object.defineProperty(globalThis, "performance", { value: { now: () => now } });
Date.now = () => 1_700_000_000_000 + now;
const settle = () => new Promise((done) => setImmediate(done));
async function pass(ms, everySecond = () => {}) {
  const end = now + ms;
  while (now < end) {
    now += 50;
    if (now % 1000 === 0) everySecond();
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const { then, every } of due) {
      if (every) setTimer(then, every, every);
      then();
    }
    await settle();
  }
}

// The site.
let alive = true;
const scale = { id: "SZX/line-1/scale", kind: "scale", state: "online", fault: null, why: null, since: null, identity: "MT 1" };
const board = {
  now: "2026-11-09T08:00:12Z", speed: { asked: 1000, kept: 240 }, records: 7, orders: {}, parcels: {}, returns: {}, exceptions: [], recent: [],
  warehouses: [{ id: "SZX", local_time: "", cutoffs: [], stations: [{ id: "SZX/line-1", moving: null, chutes: [], devices: [scale] }] }],
};
const nobody = (signal) => new Promise((_, fail) => setTimer(() => fail(new Error("timeout")), signal.ms));
globalThis.fetch = async (_, { signal }) => (alive ? { ok: true, json: async () => structuredClone(board) } : nobody(signal));
const streams = [];
globalThis.EventSource = class {
  static CLOSED = 2;
  constructor(url) {
    Object.assign(this, { url, readyState: 0, told: {} });
    streams.push(this);
  }
  addEventListener(name, then) { this.told[name] = then; }
  close() { this.readyState = 2; }
};
const say = (name) => { if (alive && streams.at(-1).readyState !== 2) streams.at(-1).told[name]({}); };

await import("./console.js");
await settle();
const silent = document.getElementById("silent");
silent.hidden = true;
assert.match(streams[0].url, /alive=true/);
say("open");

// A site that says nothing but that it is alive is alive, also where its board takes long.
await pass(20_000, () => say("alive"));
assert.ok(silent.hidden && !body.classes.has("unanswered"));
assert.equal(byId.live.querySelector(".word").textContent, "live");
assert.equal(byId.speed.textContent, "⚠ at speed 240 of 1000 asked: the machine cannot keep up");

// It dies without a word: neither the stream nor a question fails. Within three seconds the page says so.
say("alive");
alive = false;
await pass(2_000);
assert.ok(silent.hidden, "two seconds are no silence");
await pass(1_000);
assert.ok(!silent.hidden && body.classes.has("unanswered"), "after three seconds the page says that nobody answers");
assert.equal(document.title, "✕ no answer · quick-start");
assert.equal(byId.live.querySelector(".word").textContent, "no answer");
const since = silent.querySelector("time").textContent;
assert.match(since, /^\d\d:\d\d:\d\d$/);
await pass(7_000);
assert.equal(silent.querySelector("time").textContent, since, "since when does not move");
assert.equal(silent.querySelector("span").textContent, ", 10 s ago");
assert.equal(streams[0].readyState, 2, "a stream that may be dead is not waited for");

// Back by itself.
alive = true;
await pass(3_000);
assert.ok(silent.hidden && !body.classes.has("unanswered"));
assert.equal(document.title, "quick-start");
assert.equal(streams.length, 2);
say("open");
assert.equal(byId.live.querySelector(".word").textContent, "live");

// A device that does not work: in the picture, at its station, in the list, with why and since when.
Object.assign(scale, { state: "offline", why: "the plug was pulled", since: "2026-11-09T08:00:10.5Z" });
await pass(2_000, () => say("alive"));
assert.ok(device.classes.has("offline") && !device.classes.has("online"));
assert.equal(device.querySelector(".state").textContent, "✕ offline");
assert.equal(device.querySelector("title").textContent, "SZX/line-1/scale: offline, the plug was pulled since 11-09 08:00:10 UTC MT 1");
assert.equal(station.querySelector(".alarm").textContent, "⚠ scale");
assert.ok(station.classes.has("troubled"));
assert.equal(list.textContent, "✕ offline SZX/line-1/scale the plug was pulled since 11-09 08:00:10 UTC");
Object.assign(scale, { state: "degraded", why: "sends what cannot be read" });
await pass(2_000, () => say("alive"));
assert.ok(device.classes.has("degraded") && !device.classes.has("offline"));
assert.equal(device.querySelector(".state").textContent, "≈ degraded");

// When that is over, it is over.
Object.assign(scale, { state: "online", why: null, since: null });
board.speed = { asked: 1, kept: 1 };
await pass(2_000, () => say("alive"));
assert.equal(list.textContent + station.querySelector(".alarm").textContent + byId.speed.textContent, "");
assert.ok(!station.classes.has("troubled"));
console.log("the console's scripts do what they should");
process.exit(0);
