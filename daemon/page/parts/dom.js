// Elements are made here and nowhere else. Texts of logs become text nodes and
// attribute values, never markup.

const svgSpace = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined));
  return node;
}

function el(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return build(document.createElementNS(svgSpace, tag), attributes, children);
}

// visible is a text whose marks of direction can be seen: they would reverse what
// stands beside them.
function visible(text) {
  return String(text).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

// quote is a text of a log inside one of the page: its direction stays its own.
function quote(text, attributes) { return el("bdi", attributes, visible(text)); }

// bar shows a share from 0 to 1.
function bar(share) {
  const full = el("i", { class: "bar-full" });
  full.style.width = 100 * Math.max(0, Math.min(1, share)) + "%";
  return el("span", { class: "bar", "aria-hidden": "true" }, full);
}

// swatch is a dot in a cluster's or a series' colour.
function swatch(color) {
  const dot = el("i", { class: "swatch", "aria-hidden": "true" });
  dot.style.background = color;
  return dot;
}

// choice is a row of buttons of which one is pressed.
function choice(label, options, chosen, choose) {
  const buttons = options.map(([value, text]) => el("button", {
    type: "button", "aria-pressed": String(value === chosen),
    onclick: (e) => {
      for (const b of buttons) b.setAttribute("aria-pressed", String(b === e.currentTarget));
      choose(value);
    },
  }, text));
  return el("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

// The tooltip follows the pointer and stays inside the window.
const tooltip = el("div", { class: "tooltip", "aria-hidden": "true" });

function showTooltip(event, ...content) {
  tooltip.replaceChildren(...content.filter((c) => c !== null));
  tooltip.classList.add("shown");
  const box = tooltip.getBoundingClientRect();
  const right = event.clientX + 14 + box.width > window.innerWidth - 8;
  const x = right ? event.clientX - 14 - box.width : event.clientX + 14;
  const y = Math.min(event.clientY + 14, window.innerHeight - box.height - 8);
  tooltip.style.left = Math.max(8, x) + "px";
  tooltip.style.top = Math.max(8, y) + "px";
}

function hideTooltip() { tooltip.classList.remove("shown"); }

// line is a row of a tooltip or of details: a name and a value.
function line(name, ...value) {
  return el("div", { class: "line" }, el("span", { class: "line-name" }, name), el("span", { class: "line-value" }, value));
}

// widthOf is the room that a picture has, in pixels.
function widthOf(node) { return Math.max(200, Math.floor(node.clientWidth)); }

// tile is one figure of the head of a page.
function tile(name, value, detail, kind) {
  return el("div", { class: "tile" + (kind ? " " + kind : "") },
    el("dt", null, name), el("dd", { class: "tile-value" }, value), detail ? el("dd", { class: "tile-detail" }, detail) : null);
}

// whenResized draws anew when a node has another width. A scrollbar that appears is not a
// resize of the window.
function whenResized(node, draw) {
  let width = node.clientWidth;
  new ResizeObserver(() => {
    if (width === node.clientWidth) return;
    width = node.clientWidth;
    draw();
  }).observe(node);
}
