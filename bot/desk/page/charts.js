// Charts drawn as SVG. Each stands beside a table with the same figures, so a chart is only ever a picture of it.

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 40;
const BOTTOM = 44;
const TOP = 18;

function svg(tag, given, ...children) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const say = (x, y, text, look = "axis", anchor = "middle") => svg("text", { x, y, class: look, "text-anchor": anchor }, text);
const heightOf = (value, most) => ((HEIGHT - TOP - BOTTOM) * value) / most;

/** Give a round number that is not below any value. */
function roof(values) {
  const most = Math.max(1, ...values);
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * unit).find((step) => step >= most);
}

function frame(label, most, right) {
  const made = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label });
  const steps = Math.min(5, most);
  for (let step = 0; step <= steps; step += 1) {
    const value = (most * step) / steps;
    const y = HEIGHT - BOTTOM - heightOf(value, most);
    made.append(svg("line", { x1: LEFT, x2: right, y1: y, y2: y, class: "grid" }), say(LEFT - 6, y + 4, String(value), "axis", "end"));
  }
  return made;
}

/** Columns with names below: `rows` are [name, value]. Long rows of days name every few. */
export function columns(label, rows, right = WIDTH - 8) {
  const most = roof(rows.map(([, value]) => value));
  const made = frame(label, most, right);
  const slot = (right - LEFT) / Math.max(1, rows.length);
  const every = Math.ceil(rows.length / 10);
  rows.forEach(([name, value], index) => {
    const x = LEFT + slot * index;
    const tall = heightOf(value, most);
    const wide = Math.min(46, slot * 0.66);
    made.append(svg("rect", { x: x + (slot - wide) / 2, y: HEIGHT - BOTTOM - tall, width: wide, height: tall, class: "column" }));
    if (rows.length <= 16 && value) made.append(say(x + slot / 2, HEIGHT - BOTTOM - tall - 5, String(value), "value"));
    if (index % every === 0) made.append(say(x + slot / 2, HEIGHT - BOTTOM + 18, name));
  });
  return made;
}

/** Columns from large to small with the running share as a line: `rows` are [name, count, share from 0 to 1]. */
export function pareto(label, rows) {
  const right = WIDTH - 44;
  const made = columns(label, rows.map(([name, count]) => [name, count]), right);
  const slot = (right - LEFT) / Math.max(1, rows.length);
  const points = rows.map(([, , share], index) => [LEFT + slot * (index + 0.5), HEIGHT - BOTTOM - heightOf(share, 1)]);
  const edge = HEIGHT - BOTTOM - heightOf(0.8, 1);
  made.append(
    svg("line", { x1: LEFT, x2: right, y1: edge, y2: edge, class: "edge" }), say(right + 6, edge + 4, "80%", "axis", "start"),
    svg("polyline", { points: points.map((point) => point.join(",")).join(" "), class: "curve" }),
    ...points.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 3.5, class: "dot" })),
    say(right + 6, TOP + 4, "100%", "axis", "start"),
  );
  return made;
}

/** A line over time: `rows` are [name, value]. */
export function trend(label, rows) {
  const right = WIDTH - 8;
  const most = roof(rows.map(([, value]) => value));
  const made = frame(label, most, right);
  const slot = (right - LEFT) / Math.max(1, rows.length);
  const points = rows.map(([, value], index) => [LEFT + slot * (index + 0.5), HEIGHT - BOTTOM - heightOf(value, most)]);
  const every = Math.ceil(rows.length / 10);
  made.append(svg("polyline", { points: points.map((point) => point.join(",")).join(" "), class: "curve" }));
  rows.forEach(([name, value], index) => {
    const [x, y] = points[index];
    made.append(svg("circle", { cx: x, cy: y, r: 3.5, class: "dot" }));
    if (rows.length <= 16) made.append(say(x, y - 9, String(value), "value"));
    if (index % every === 0) made.append(say(x, HEIGHT - BOTTOM + 18, name));
  });
  return made;
}
