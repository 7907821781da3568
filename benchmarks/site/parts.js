// Small makers of elements and texts, which know nothing of the data.

/** An element of a class with children: elements or texts. */
function make(tag, classes = "", ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

/** 0.87, 1.4, 46, 312 */
function digits(value) {
  return value >= 10 ? value.toFixed(0) : value.toFixed(value < 2 ? 2 : 1);
}

/** Seconds with the unit that suits them. */
function duration(seconds) {
  const units = [[1, "s"], [1e3, "ms"], [1e6, "µs"], [1e9, "ns"]];
  const [factor, unit] = units.find(([f]) => seconds * f >= 1) ?? units.at(-1);
  return `${Number((seconds * factor).toPrecision(3))} ${unit}`;
}

/** A number as measured, in its unit. */
function quantity(value, unit) {
  if (unit === "seconds") return duration(value);
  if (unit === "bytes") return `${(value / 1e6).toFixed(2)} MB`;
  if (unit.startsWith("share")) return `${(100 * value).toFixed(0)} % ${unit.slice(6)}`;
  return `${Number(value.toPrecision(3))} ${unit}`;
}

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A piece of a track, from and to in parts of its width. */
function piece(classes, from, to) {
  const element = make("i", classes);
  element.style.left = `${100 * Math.min(from, to)}%`;
  element.style.width = `${100 * Math.abs(to - from)}%`;
  return element;
}

/** A name, a track with what is on it, and a figure. */
function bar(name, onTrack, ...figure) {
  return make("div", "bar", make("span", "", name), make("span", "track", ...onTrack),
    make("span", "figure", ...figure));
}

/** Fill a select; what was chosen stays, if it is still there. */
function offer(select, options) {
  select.replaceChildren(...options.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
}

/** A line over commits: points (x, y) in the unit square, y upwards, with gaps where y is null. */
function sparkline(values, low, high, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const add = (name, attributes) => {
    const shape = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  };
  svg.setAttribute("viewBox", "0 0 300 56");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const x = (index) => values.length > 1 ? 4 + (292 * index) / (values.length - 1) : 150;
  const y = (value) => 52 - (48 * (value - low)) / (high - low);
  add("line", { class: "base", x1: 0, x2: 300, y1: y(1), y2: y(1) });
  const points = values.map((value, index) => [x(index), value]).filter(([, v]) => v !== null);
  add("polyline", { points: points.map(([at, value]) => `${at},${y(value)}`).join(" ") });
  const [at, value] = points.at(-1);
  add("circle", { cx: at, cy: y(value), r: 3 });
  return svg;
}
