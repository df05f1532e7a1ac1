// The devices in the picture and in the list below it: a colour, a word and a shape, the reason and since when. The words are
// those of picture.rs.

import { clock, element, href } from "./parcels.js";

const WORDS = { online: "✓ online", offline: "✕ offline", faulty: "! fault", degraded: "≈ degraded", out: "– out" };
const set = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };
const word = (device) => WORDS[device.state] ?? WORDS.offline;
const works = (device) => device.state === "online";
const why = (device) => device.why ?? device.fault ?? "";
const since = (device) => (device.since ? `since ${clock(device.since)} UTC` : "");

export function drawDevice(node, device) {
  for (const state of Object.keys(WORDS)) node.classList.toggle(state, state === device.state);
  set(node.querySelector(".state"), word(device));
  const said = works(device) ? "" : `, ${[why(device), since(device)].filter(Boolean).join(" ")}`;
  set(node.querySelector("title"), `${device.id}: ${device.state}${said} ${device.identity}`);
}

/** What does not work of a station, for its head. */
export function alarm(devices) {
  const down = devices.filter((device) => !works(device));
  if (down.length === 0) return "";
  return down.length === 1 ? `⚠ ${down[0].kind}` : `⚠ ${down.length} devices`;
}

export function drawStation(node, devices) {
  const text = alarm(devices);
  node.classList.toggle("troubled", text !== "");
  set(node.querySelector(".alarm"), text);
}

/** One line for each device of a warehouse that does not work. */
export function listDown(list, devices) {
  const down = devices.filter((device) => !works(device));
  const sign = JSON.stringify(down.map((device) => [device.id, device.state, why(device), since(device)]));
  if (list.dataset.sign === sign || list.contains(document.activeElement)) return;
  list.dataset.sign = sign;
  list.replaceChildren(...down.map((device) => {
    const item = element("li");
    item.append(element("span", word(device), { class: `tag ${device.state}` }), " ", element("a", device.id, { href: href("devices", device.id) }),
      ` ${why(device)} `, element("span", since(device), { class: "quiet" }));
    return item;
  }));
}
