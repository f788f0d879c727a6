// Axes of pictures over time.

function timeAxis(x, from, to, bottom, width) {
  const { ticks, text } = timeTicks(from, to, Math.max(2, width / 110));
  return svg("g", { class: "axis" }, ticks.map((t) => [
    svg("line", { x1: x(t), x2: x(t), y1: 6, y2: bottom + 4 }),
    svg("text", { x: Math.min(x(t), width - 36), y: bottom + 17, "text-anchor": "middle" }, text(t)),
  ]));
}

// valueAxis has lines at values, with what unit makes of them.
function valueAxis(y, values, left, right, unit) {
  return svg("g", null, values.map((v) => [
    svg("line", { class: "grid", x1: left, x2: right, y1: y(v), y2: y(v) }),
    svg("text", { class: "axis-text", x: left - 6, y: y(v) + 4, "text-anchor": "end" }, unit(v)),
  ]));
}
