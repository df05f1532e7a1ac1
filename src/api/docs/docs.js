// Makes a form of every operation in openapi.json, sends it, and shows what comes back. Everything is shown as text.

/** An endless answer (events) is read for so long. */
const STREAM_MS = 5000;
const SHOWN_CHARS_MAX = 100_000;
/** Deeper than this a schema can only be going round in circles. */
const NESTING_MAX = 16;

function element(name, text, attributes = {}, children = []) {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** An example of a schema, put together from the examples of its fields. */
function example(schema, api, depth = 0) {
  if (!schema || depth > NESTING_MAX) return null;
  if (schema.$ref) return example(api.components.schemas[schema.$ref.split("/").pop()], api, depth + 1);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.oneOf) return example(schema.oneOf[0], api, depth + 1);
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, example(value, api, depth + 1)]));
  }
  if (schema.items) return [example(schema.items, api, depth + 1)];
  return { string: "", integer: 0, number: 0, boolean: false }[[schema.type].flat()[0]] ?? null;
}

async function send(method, path, operation, form, out) {
  const values = new FormData(form);
  const query = new URLSearchParams();
  const headers = {};
  for (const parameter of operation.parameters ?? []) {
    const value = (values.get(`${parameter.in}:${parameter.name}`) ?? "").trim();
    if (!value) continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, value.split("/").map(encodeURIComponent).join("/"));
    if (parameter.in === "query") query.set(parameter.name, value);
    if (parameter.in === "header") headers[parameter.name] = value;
  }
  const address = query.size > 0 ? `${path}?${query}` : path;
  const body = values.get("body") ?? undefined;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const stop = new AbortController();
  out.hidden = false;
  out.textContent = `${method} ${address}\n…`;
  try {
    const answer = await fetch(address, { method, headers, body, signal: stop.signal });
    const noted = ["content-type", "retry-after", "idempotent-replayed", "x-request-id"].filter((name) => answer.headers.has(name));
    const head = [`${method} ${address}`, `${answer.status} ${answer.statusText}`, ...noted.map((name) => `${name}: ${answer.headers.get(name)}`), "", ""].join("\n");
    const timer = setTimeout(() => stop.abort(), STREAM_MS);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += value;
        out.textContent = head + text;
        if (text.length > SHOWN_CHARS_MAX) stop.abort();
      }
      out.textContent = head + pretty(text);
    } catch (error) {
      out.textContent = `${head}${text}\n— not read further`;
    }
    clearTimeout(timer);
  } catch (error) {
    out.textContent = `${method} ${address}\nno answer: ${error.message}`;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function operationForm(method, path, operation, api) {
  const form = element("form", "", { class: "operation" });
  for (const parameter of operation.parameters ?? []) {
    const id = `${operation.operationId}-${parameter.name}`;
    const input = element("input", "", { id, name: `${parameter.in}:${parameter.name}`, placeholder: parameter.example ?? "", spellcheck: "false" });
    if (parameter.required) input.required = true;
    form.append(element("div", "", { class: "field" }, [
      element("label", `${parameter.name}${parameter.required ? " *" : ""}`, { for: id }), input,
      element("span", `${parameter.in}. ${parameter.description ?? ""}`, { class: "quiet" })]));
  }
  const content = operation.requestBody?.content?.["application/json"];
  if (content) {
    const id = `${operation.operationId}-body`;
    const text = JSON.stringify(example(content.schema, api), null, 2);
    const area = element("textarea", text, { id, name: "body", rows: text.split("\n").length, spellcheck: "false" });
    form.append(element("div", "", { class: "field" }, [element("label", "Body", { for: id }), area]));
  }
  const out = element("pre", "", { "aria-live": "polite", tabindex: "0" });
  out.hidden = true;
  form.append(element("button", "Send"), out);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, operation, form, out);
  });
  return form;
}

function operationBox(method, path, operation, api) {
  const summary = element("summary", "", {}, [element("code", `${method} ${path}`), element("span", ` ${operation.summary ?? ""}`, { class: "quiet" })]);
  const answers = Object.entries(operation.responses).map(([status, answer]) => element("li", `${status} ${answer.description}`));
  const box = element("details", "", { class: "card" }, [summary]);
  if (operation.description) box.append(element("p", operation.description));
  box.append(operationForm(method, path, operation, api), element("h3", "Answers"), element("ul", "", {}, answers));
  return box;
}

async function open() {
  const api = await (await fetch("/api/v1/openapi.json")).json();
  const main = document.getElementById("operations");
  main.replaceChildren(element("p", api.info.description));
  for (const tag of api.tags) {
    main.append(element("h2", `${tag.name}: ${tag.description}`));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags?.includes(tag.name)) main.append(operationBox(method.toUpperCase(), path, operation, api));
      }
    }
  }
}

open();
