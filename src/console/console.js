// Keeps the page as the site is: asks for the board every two seconds, and lets the journal's events move the picture.
// Text goes in as text only (textContent); nothing that was received becomes markup.

import { Belts } from "./belt.js";
import { clock, element, openParcels, showRecent } from "./parcels.js";

const BOARD_EVERY_MS = 2000;
const RECONNECT_MS = 3000;
const WORDS = { online: "✓ online", offline: "✕ offline", faulty: "! fault", out: "– out" };

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
  set(byId("records"), board.records.toLocaleString("en"));
  byId("no-orders").hidden = Object.keys(board.orders).length > 0;
}

const index = (selector, key) => new Map([...document.querySelectorAll(selector)].map((node) => [node.dataset[key], node]));
const devices = index("[data-device]", "device");
const lines = index("[data-line]", "line");

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
  for (const station of board.warehouses.flatMap((warehouse) => warehouse.stations)) {
    for (const device of station.devices) {
      const node = devices.get(device.id);
      if (!node) continue;
      for (const state of Object.keys(WORDS)) node.classList.toggle(state, state === device.state);
      set(node.querySelector(".state"), WORDS[device.state] || device.state);
      set(node.querySelector("title"), `${device.id}: ${device.out || device.fault || device.state} ${device.identity}`);
    }
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

function exceptions(board) {
  const badge = byId("wanting");
  badge.hidden = board.exceptions.length === 0;
  set(badge.querySelector("span"), String(board.exceptions.length));
  byId("no-exceptions").hidden = board.exceptions.length > 0;
  const newest = board.exceptions[0];
  const sign = newest ? `${board.exceptions.length} ${newest.at} ${newest.kind} ${newest.id} ${newest.what}` : "";
  const list = byId("exceptions");
  if (list.dataset.sign === sign || list.contains(document.activeElement)) return;
  list.dataset.sign = sign;
  list.replaceChildren(...board.exceptions.map((exception) => {
    const item = document.createElement("li");
    const searchable = ["order", "parcel", "tracking", "return"].includes(exception.kind);
    const target = searchable ? `#find=${encodeURIComponent(exception.id)}` : exception.href;
    item.append(element("time", clock(exception.at), { datetime: exception.at }), " ",
      element("a", `${exception.kind} ${exception.id}`, { href: target }), " ", element("span", exception.what));
    return item;
  }));
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/board");
    if (!answer.ok) throw new Error(`${answer.status}`);
    const board = await answer.json();
    counts(board);
    hours(board);
    floor(board);
    exceptions(board);
    showRecent(board.recent);
    return board;
  } catch {
    return null;
  } finally {
    setTimeout(refresh, BOARD_EVERY_MS);
  }
}

/** Follows the journal. A stream that the site refused to go on with (it was restarted) is begun anew at its end. */
function follow(belts, after) {
  const stream = new EventSource(`/api/v1/events?entity=parcel${after === undefined ? "" : `&after=${after}`}`);
  stream.onopen = () => live("live", "●", "live");
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) {
      live("lost", "✕", "no events: is the site running?");
      setTimeout(() => follow(belts), RECONNECT_MS);
    } else {
      live("waiting", "…", "reconnecting");
    }
  };
  for (const name of ["inducted", "measured", "sorted", "passed", "bagged", "intercepted"]) {
    stream.addEventListener(`parcel.${name}`, (message) => {
      if (document.hidden) return;
      const record = JSON.parse(message.data);
      belts.saw(record.key.id, name, record.event.parcel[name]);
    });
  }
}

openParcels();
refresh();
follow(new Belts(lines), document.body.dataset.after);
