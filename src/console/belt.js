// Parcels on the belts, as dots that the journal's events move along. Only a picture: the twin knows where a parcel is
// when a device sees it, and between two devices a dot travels at its own pace.

const SVG = "http://www.w3.org/2000/svg";
const UNITS_PER_S = 240;
/** More than this at once is a smear, not a picture; further parcels are not drawn. */
const DOTS_MAX = 150;
/** A dot nothing is heard of for so long is taken away. */
const FORGET_MS = 90_000;
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Belts {
  constructor(lines) {
    this.lines = new Map([...lines].map(([id, node]) => [id, place(node)]));
    this.dots = new Map();
    this.running = false;
    this.stopped = false;
  }

  /** Nothing is heard of the parcels: they stay where they are. */
  stop(stopped) {
    this.stopped = stopped;
  }

  /** What happened to a parcel: `inducted {station}`, `measured`, `passed {chute}` (`sorted` in old records),
   *  `intercepted {chute}`, `bagged`. */
  saw(id, name, what) {
    if (name === "inducted") return this.enter(id, what.station);
    const dot = this.dots.get(id);
    if (!dot) return;
    dot.heard = performance.now();
    const { line } = dot;
    if (name === "measured" || name === "passed") dot.way.push([line.scale, line.y]);
    if (name === "sorted" || name === "passed" || name === "intercepted") {
      if (name === "intercepted") dot.warn();
      const chute = what.chute === null ? undefined : line.chutes.get(String(what.chute));
      if (chute) dot.way.push([line.sorter, line.y], [chute.x, line.y], [chute.x, chute.y]);
      // A parcel that was stopped is not bagged: it is gone from the belt once it is down the chute.
      if (name === "intercepted") dot.leaving = true;
    }
    if (name === "bagged") dot.leaving = true;
    this.run();
  }

  enter(id, station) {
    const line = this.lines.get(station);
    if (!line || (this.dots.size >= DOTS_MAX && !this.dots.has(id))) return;
    this.dots.get(id)?.node.remove();
    const dot = new Dot(line, id);
    this.dots.set(id, dot);
    line.layer.append(dot.node);
    this.run();
  }

  run() {
    if (this.running) return;
    this.running = true;
    let last = performance.now();
    const step = (now) => {
      const passed = now - last;
      const far = this.stopped ? 0 : still.matches ? Infinity : (passed / 1000) * UNITS_PER_S;
      last = now;
      for (const [id, dot] of this.dots) {
        if (this.stopped) dot.heard += passed;
        dot.travel(far);
        if ((dot.leaving && dot.way.length === 0) || now - dot.heard > FORGET_MS) {
          dot.node.remove();
          this.dots.delete(id);
        }
      }
      this.running = this.dots.size > 0;
      if (this.running) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}

class Dot {
  constructor(line, id) {
    this.line = line;
    this.x = line.x;
    this.y = line.y;
    this.way = [[line.scanner, line.y]];
    this.heard = performance.now();
    this.leaving = false;
    this.node = document.createElementNS(SVG, "g");
    const title = document.createElementNS(SVG, "title");
    title.textContent = id;
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("r", "6");
    this.node.append(title, circle);
    this.draw();
  }

  /** Another shape, not only another colour. */
  warn() {
    const triangle = document.createElementNS(SVG, "path");
    triangle.setAttribute("d", "M 0 -8 L 8 6 L -8 6 Z");
    this.node.lastChild.replaceWith(triangle);
  }

  travel(far) {
    while (far > 0 && this.way.length > 0) {
      const [x, y] = this.way[0];
      const left = Math.hypot(x - this.x, y - this.y);
      if (left <= far) {
        [this.x, this.y] = this.way.shift();
        far -= left;
      } else {
        this.x += ((x - this.x) / left) * far;
        this.y += ((y - this.y) / left) * far;
        far = 0;
      }
    }
    this.draw();
  }

  draw() {
    this.node.setAttribute("transform", `translate(${this.x.toFixed(1)} ${this.y.toFixed(1)})`);
  }
}

/** Where things stand on one line, read from the drawing. */
function place(node) {
  const x = Number(node.dataset.x);
  const device = (kind) => Number(node.querySelector(`[data-kind="${kind}"]`)?.dataset.x ?? x);
  const chutes = [...node.querySelectorAll("[data-chute]")];
  return {
    x, y: Number(node.dataset.y),
    scanner: device("scanner"), scale: device("scale"), sorter: device("sorter"),
    chutes: new Map(chutes.map((c) => [c.dataset.chute, { x: Number(c.dataset.x), y: Number(c.dataset.y) }])),
    layer: node.querySelector(".dots"),
  };
}
