// Keeps the page as the site is: asks for the board every two seconds, and lets the journal's events move the picture.
// Text goes in as text only (textContent); nothing that was received becomes markup.

import { LOOK_EVERY_MS, Watch, showSilence } from "./alive.js";
import { Belts } from "./belt.js";
import { drawDevice, drawStation, listDown } from "./devices.js";
import { clock, element, openParcels, showRecent } from "./parcels.js";

const BOARD_EVERY_MS = 2000;
/** While the site does not answer it is asked more often. */
const BOARD_SILENT_EVERY_MS = 500;
const BOARD_WAIT_MS = 2000;
const RECONNECT_MS = 1000;

const byId = (id) => document.getElementById(id);
const set = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };

function live(state, sign, word) {
  const badge = byId("live");
  badge.className = state;
  set(badge.querySelector(".sign"), sign);
  set(badge.querySelector(".word"), word);
}

function counts(board) {
  for (const node of document.querySelectorAll("dd[data-kind]")) {
    const stages = node.dataset.stages.split(",");
    const sum = stages.reduce((total, stage) => total + (board[node.dataset.kind][stage] || 0), 0);
    set(node, sum.toLocaleString("en"));
    node.parentElement.classList.toggle("some", sum > 0);
  }
  set(byId("now"), board.now.slice(0, 19).replace("T", " ") + " UTC");
  speed(board.speed);
  set(byId("records"), board.records.toLocaleString("en"));
  byId("no-orders").hidden = Object.keys(board.orders).length > 0;
}

/** How fast the site's clock goes, and whether that is clearly less than was asked. */
function speed(speed) {
  const slow = speed !== null && speed.kept < speed.asked * 0.9;
  const node = byId("speed");
  node.classList.toggle("slow", slow);
  if (slow) set(node, `⚠ at speed ${speed.kept} of ${speed.asked} asked: the machine cannot keep up`);
  else set(node, speed === null || speed.asked === 1 ? "" : `at speed ${speed.asked}`);
}

const index = (selector, key) => new Map([...document.querySelectorAll(selector)].map((node) => [node.dataset[key], node]));
const devices = index("[data-device]", "device");
const lines = index("[data-line]", "line");
const stations = index("[data-station]", "station");
const downs = index("[data-down]", "down");

const clocks = index("[data-clock]", "clock");
const cutoffs = index("[data-cutoffs]", "cutoffs");

function hours(board) {
  for (const warehouse of board.warehouses) {
    const [clock, next] = [clocks.get(warehouse.id), cutoffs.get(warehouse.id)];
    if (clock) set(clock, warehouse.local_time);
    if (next) set(next, warehouse.cutoffs.map((cutoff) => `${cutoff.carrier} ${cutoff.local}`).join(" · "));
  }
}

function floor(board) {
  for (const warehouse of board.warehouses) {
    const list = downs.get(warehouse.id);
    if (list) listDown(list, warehouse.stations.flatMap((station) => station.devices));
  }
  for (const station of board.warehouses.flatMap((warehouse) => warehouse.stations)) {
    for (const device of station.devices) {
      const node = devices.get(device.id);
      if (node) drawDevice(node, device);
    }
    const drawn = stations.get(station.id);
    if (drawn) drawStation(drawn, station.devices);
    const line = lines.get(station.id);
    if (!line) continue;
    if (station.moving !== null) set(line.querySelector(".moving"), `${station.moving} on the belt`);
    for (const chute of station.chutes) {
      const node = line.querySelector(`[data-chute="${chute.chute}"]`);
      if (!node || chute.reject) continue;
      const share = Math.max(chute.parcels / chute.parcels_max, chute.weight_g / chute.weight_g_max) || 0;
      const whole = Number(node.querySelector(".bag").getAttribute("width"));
      node.querySelector(".fill").setAttribute("width", Math.round(whole * Math.min(share, 1)));
      set(node.querySelector(".held"), `${chute.parcels}/${chute.parcels_max} · ${(chute.weight_g / 1000).toFixed(1)} kg`);
    }
  }
}

/** What is wrong now, as the twin tells it: the same after a restart, and gone when its cause is. */
function problems(board) {
  const badge = byId("wanting");
  badge.hidden = board.problems_open === 0;
  set(badge.querySelector("span"), String(board.problems_open));
  byId("no-exceptions").hidden = board.problems_open > 0;
  const sign = JSON.stringify(board.problems);
  const list = byId("exceptions");
  if (list.dataset.sign === sign || list.contains(document.activeElement)) return;
  list.dataset.sign = sign;
  list.replaceChildren(...board.problems.map((problem) => {
    const item = document.createElement("li");
    const searchable = ["order", "parcel", "tracking", "return"].includes(problem.kind);
    const target = searchable ? `#find=${encodeURIComponent(problem.of)}` : problem.href;
    const seen = [problem.times > 1 ? `${problem.times} times` : "", problem.owner ? `with ${problem.owner}` : "",
      problem.acknowledged ? "seen" : ""].filter(Boolean).join(", ");
    item.append(element("span", problem.severity, { class: `tag ${problem.severity}` }), " ",
      element("time", clock(problem.since), { datetime: problem.since }), " ",
      element("a", `${problem.kind} ${problem.of}`, { href: target }), " ", element("span", problem.what));
    if (seen) item.append(" ", element("small", `(${seen})`));
    if (problem.remedies.length) item.append(" ", element("small", `→ ${problem.remedies.map((r) => r.replaceAll("_", " ")).join(", ")}`));
    return item;
  }));
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/board", { signal: AbortSignal.timeout(BOARD_WAIT_MS) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const board = await answer.json();
    watch.heard();
    counts(board);
    hours(board);
    floor(board);
    problems(board);
    showRecent(board.recent);
    return board;
  } catch {
    return null;
  } finally {
    setTimeout(refresh, watch.silent ? BOARD_SILENT_EVERY_MS : BOARD_EVERY_MS);
  }
}

const belts = new Belts(lines);
let stream;

const watch = new Watch(() => performance.now(), {
  silent: (silence, isNew) => {
    showSilence(document, silence, Date.now());
    if (!isNew) return;
    live("lost", "✕", "no answer");
    belts.stop(true);
    // One that is dead and does not know it would wait for hours.
    stream.close();
  },
  back: () => {
    showSilence(document, null);
    live("waiting", "…", "reconnecting");
    belts.stop(false);
    follow();
  },
});

/** Follows the journal. A stream that the site refused to go on with (it was restarted) is begun anew at its end. */
function follow(after) {
  const mine = new EventSource(`/api/v1/events?entity=parcel&alive=true${after === undefined ? "" : `&after=${after}`}`);
  stream = mine;
  const on = (name, then) => mine.addEventListener(name, (message) => {
    if (mine !== stream) return;
    watch.heard();
    then(message);
  });
  on("open", () => live("live", "●", "live"));
  on("alive", () => {});
  mine.onerror = () => {
    if (mine !== stream || watch.silent) return;
    if (mine.readyState === EventSource.CLOSED) {
      live("lost", "✕", "no events: is the site running?");
      setTimeout(() => { if (mine === stream && !watch.silent) follow(); }, RECONNECT_MS);
    } else {
      live("waiting", "…", "reconnecting");
    }
  };
  for (const name of ["inducted", "measured", "sorted", "passed", "bagged", "intercepted"]) {
    on(`parcel.${name}`, (message) => {
      if (document.hidden) return;
      const record = JSON.parse(message.data);
      belts.saw(record.key.id, name, record.event.parcel[name]);
    });
  }
}

openParcels();
refresh();
follow(document.body.dataset.after);
setInterval(() => watch.look(), LOOK_EVERY_MS);
