// The parcel list and the search: by order, parcel or tracking number; what was decided and why, label, weights, history.

const byId = (id) => document.getElementById(id);
export function element(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined && text !== null) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** The path of one thing of the twin; slashes in ids stay. */
export const href = (noun, id) => `/api/v1/${noun}/${id.split("/").map(encodeURIComponent).join("/")}`;

export const clock = (at) => (at || "").replace(/^\d{4}-(\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, "$1 $2");

const grams = (g) => (g === null || g === undefined ? "" : `${g} g`);
const money = (m) => (m ? `${m.amount} ${m.currency}` : "");
const size = (d) => (d ? `${d.length_mm}×${d.width_mm}×${d.height_mm} mm` : "");
const words = (text) => String(text ?? "").replaceAll("_", " ");

export function showRecent(parcels) {
  byId("no-parcels").hidden = parcels.length > 0;
  const table = byId("recent");
  table.hidden = parcels.length === 0;
  const body = table.tBodies[0];
  if (body.contains(document.activeElement)) return;
  body.replaceChildren(...parcels.map((parcel) => {
    const row = document.createElement("tr");
    const first = document.createElement("td");
    first.append(element("a", parcel.id, { href: `#find=${encodeURIComponent(parcel.id)}` }));
    const stage = element("td", parcel.trouble ? `⚠ ${parcel.stage}` : parcel.stage);
    if (parcel.trouble) stage.title = parcel.trouble;
    row.append(first, stage, element("td", parcel.channel), element("td", parcel.tracking ?? ""),
      element("td", grams(parcel.declared_g), { class: "number" }), element("td", grams(parcel.measured_g), { class: "number" }));
    return row;
  }));
}

/** The first of several addresses that has something; null where none has. */
async function first(addresses) {
  for (const address of addresses) {
    const answer = await fetch(address);
    if (answer.ok) return answer.json();
    if (answer.status !== 404) throw new Error((await answer.json()).detail ?? answer.status);
  }
  return null;
}

async function look(text) {
  const found = byId("found");
  found.hidden = false;
  found.replaceChildren(element("p", `Looking for ${text} …`));
  const id = encodeURIComponent(text);
  try {
    let parcel = await first([`/api/v1/parcels?history=true&tracking=${id}`, `/api/v1/parcels/${id}?history=true`]);
    const order = await first([href("orders", parcel ? parcel.plan.order : text)]);
    if (!parcel && order?.parcel) parcel = await first([`${href("parcels", order.parcel)}?history=true`]);
    if (parcel) {
      parcel.charges = await first([`${href("parcels", parcel.id)}/charges`]);
      parcel.declared = await first([href("declarations", parcel.id)]);
    }
    if (!parcel && !order) {
      found.replaceChildren(close(), element("p", `Nothing is called ${text}: neither an order, nor a parcel, nor a tracking number.`),
        element("a", "Search for it in names, addresses and reasons", { href: `/lists?q=${id}` }));
    } else {
      found.replaceChildren(close(), ...(parcel ? describeParcel(parcel) : []), ...(order ? describeOrder(order) : []));
    }
  } catch (error) {
    found.replaceChildren(close(), element("p", `The site did not answer: ${error.message}`));
  }
  found.focus();
}

function close() {
  const button = element("button", "Close", { type: "button", class: "close" });
  button.addEventListener("click", () => {
    byId("found").hidden = true;
    history.replaceState(null, "", location.pathname);
    byId("wanted").focus();
  });
  return button;
}

function facts(rows) {
  const list = document.createElement("dl");
  for (const [name, value, link] of rows) {
    if (value === "" || value === null || value === undefined) continue;
    const data = document.createElement("dd");
    if (link) data.append(element("a", value, { href: link }));
    else data.textContent = value;
    list.append(element("dt", name), data);
  }
  return list;
}

function why(interception) {
  if (!interception) return "";
  if (typeof interception === "string") return words(interception);
  const [[name, detail]] = Object.entries(interception);
  const parts = Object.entries(detail).map(([key, value]) => `${words(key)} ${typeof value === "object" ? size(value) : value}`);
  return `${words(name)}: ${parts.join(", ")}`;
}

/** What it costs, and each charge with what it rests on; an estimate that counts no more stands in brackets. */
function cost(of) {
  const sum = of.cost_in_base ? money(of.cost_in_base) : Object.entries(of.cost).map(([currency, amount]) => `${amount} ${currency}`).join(" + ");
  const charges = of.charges.map((charge) => {
    const text = `${charge.kind} ${money(charge.amount)}, ${charge.basis}`;
    return charge.counts ? text : `(${text})`;
  });
  return sum && `${sum}: ${charges.join("; ")}`;
}

/** How far its declaration is, what customs said, and what they want that is not known. */
function customs(declared) {
  const missing = declared.missing.map((what) => {
    if (typeof what === "string") return words(what);
    const [[name, { line }]] = Object.entries(what);
    return `${words(name)} of line ${line}`;
  });
  return [words(declared.stage), declared.customs_said, missing.length > 0 && `⚠ missing: ${missing.join(", ")}`].filter(Boolean).join("; ");
}

function describeParcel(parcel) {
  const { plan, tracked, returned } = parcel;
  const said = (news) => (news ? `${clock(news.at)} ${news.text} ${news.place}` : "");
  const rows = [
    ["Stage", words(parcel.stage)],
    ["On its way", tracked && words(tracked.stage)],
    ["Stopped because", why(parcel.interception)],
    ["Wrong here", parcel.exception],
    ["Carrier says", tracked?.exception],
    ["Label refused", parcel.label_refused],
    ["From", plan.warehouse],
    ["Channel", plan.channel],
    ["Tracking", parcel.tracking],
    ["Label", parcel.label ? "show" : "none yet", parcel.label ? `${href("parcels", parcel.id)}/label` : undefined],
    ["Weight", [grams(plan.declared_g) && `declared ${grams(plan.declared_g)}`, parcel.measured_g && `measured ${grams(parcel.measured_g)}`].filter(Boolean).join(", ")],
    ["Size", [size(plan.declared) && `declared ${size(plan.declared)}`, parcel.measured && `measured ${size(parcel.measured)}`].filter(Boolean).join(", ")],
    ["Contents", plan.contents],
    ["Cost", parcel.charges ? cost(parcel.charges) : ""],
    ["Customs", parcel.declared ? customs(parcel.declared) : ""],
    ["Station", parcel.station],
    ["Chute and bag", parcel.chute === null ? "" : `${parcel.chute}${parcel.bag ? `, bag ${parcel.bag}` : ""}`],
    ["Last news", said(tracked?.newest)],
    ["Customs", said(tracked?.customs)],
    ["Comes back", returned && [words(returned.outcome ?? returned.stage), returned.reason].filter(Boolean).join(": ")],
    ["Came back", (returned?.items ?? []).map((item) => `${item.sku} × ${item.quantity} ${words(item.condition)}`).join(", ")],
  ];
  const title = element("h3", "Parcel ");
  title.append(element("a", parcel.id, { href: href("parcels", parcel.id) }));
  const nodes = [title, facts(rows)];
  if (parcel.history) nodes.push(tell(parcel.history, parcel.history_complete));
  return nodes;
}

function tell(records, complete) {
  const box = document.createElement("details");
  box.append(element("summary", `History: ${records.length} events${complete ? "" : ", older ones are further back in the journal"}`));
  const list = document.createElement("ol");
  for (const record of records) {
    const event = Object.values(record.event)[0];
    const text = typeof event === "string" ? words(event) : Object.entries(event).map(([name, detail]) => `${words(name)}: ${brief(detail)}`).join();
    const item = document.createElement("li");
    item.append(element("time", clock(record.at), { datetime: record.at }), ` ${text}`);
    list.append(item);
  }
  box.append(list);
  return box;
}

/** What stands in an event, as short as it can be read: the plan is above already, and the label has its link. */
function brief(detail) {
  if (detail === null || typeof detail !== "object") return String(detail);
  if (Array.isArray(detail)) return detail.map(brief).join(", ");
  if ("amount" in detail && "currency" in detail) return money(detail);
  if ("length_mm" in detail) return size(detail);
  if ("plan" in detail) return `${detail.plan.warehouse}, ${detail.plan.channel}`;
  const entries = Object.entries(detail).filter(([key, value]) => value !== null && key !== "label");
  return entries.map(([key, value]) => `${words(key)} ${brief(value)}`).join(", ");
}

function describeOrder(order) {
  const title = element("h3", "Order ");
  title.append(element("a", order.id, { href: href("orders", order.id) }));
  const holds = Object.entries(order.holds).map(([reason, detail]) => `${words(reason)}: ${detail}`).join("; ");
  const to = order.ship_to;
  const rows = [
    ["Stage", words(order.stage)],
    ["Held", holds && `⚠ ${holds}`],
    ["Bought at", `${order.platform}, ${order.shop}`],
    ["Goods", order.lines.map((line) => `${line.quantity} × ${line.sku}`).join(", ")],
    ["To", [to.postcode, to.city, to.region, to.country].filter(Boolean).join(" ")],
  ];
  const nodes = [title, facts(rows)];
  if (order.decision) nodes.push(element("h3", `Why this way (${order.decision.rule})`), reasons(order.decision));
  return nodes;
}

function reasons(decision) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of ["Warehouse", "Channel", "Cost", "Days", "Verdict"]) head.append(element("th", name));
  const body = table.createTBody();
  for (const candidate of decision.candidates) {
    const row = body.insertRow();
    for (const text of [candidate.warehouse, candidate.channel, money(candidate.cost), candidate.days, candidate.verdict]) row.append(element("td", text ?? ""));
  }
  const box = element("div", undefined, { class: "scroll" });
  box.append(table);
  return box;
}

export function openParcels() {
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("wanted").value.trim();
    if (!text) return;
    const hash = `#find=${encodeURIComponent(text)}`;
    if (location.hash === hash) look(text);
    else location.hash = hash;
  });
  const go = () => {
    const match = location.hash.match(/^#find=(.+)$/);
    if (!match) return;
    const text = decodeURIComponent(match[1]);
    byId("wanted").value = text;
    look(text);
  };
  addEventListener("hashchange", go);
  go();
}
