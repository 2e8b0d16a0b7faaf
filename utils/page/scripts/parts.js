// Controls and drawing that both explorers share.

/** An element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const vector = ["svg", "g", "path", "circle", "rect", "text", "line", "polyline"].includes(tag);
  const space = vector ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A labelled slider over `steps` + 1 places; `say` turns a place into words. */
function slider(label, steps, place, say, changed) {
  const input = make("input", { type: "range", min: 0, max: steps, step: 1 });
  const shown = make("output", { "aria-hidden": "true" }); // the slider says it itself
  const control = {
    row: make("label", { class: "dtfa-row" }, make("span", {}, label), input, shown),
    input,
    get: () => Number(input.value),
    set(value) {
      input.value = value;
      shown.textContent = say(Number(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
    },
  };
  control.set(place);
  input.addEventListener("input", () => {
    control.set(input.value);
    changed();
  });
  return control;
}

/** A player with a visible label, whose sound is made anew by `set`. */
function player(label) {
  const audio = make("audio", { controls: "", preload: "metadata", "aria-label": label });
  const caption = make("figcaption", {}, label);
  const figure = make("figure", { class: "dtfa-player" }, caption, audio);
  return {
    figure,
    set(address, name = label) {
      const playing = !audio.paused && !audio.ended;
      audio.src = address;
      audio.setAttribute("aria-label", name);
      caption.textContent = name;
      if (playing) audio.play().catch(() => {});
    },
  };
}

/** Runs `work` once things have been at rest for a moment; a later call replaces it. */
function atRest(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, 120);
  };
}

/** Paint `value(column, row)` in [0, 1], row 0 at the bottom, in the colours of a list. */
function paint(canvas, columns, rows, value, colours) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const part = Math.min(1, Math.max(0, value(column, row)));
      const colour = colours[Math.round(part * (colours.length - 1))];
      image.data.set([...colour, 255], 4 * ((rows - 1 - row) * columns + column));
    }
  }
  context.putImageData(image, 0, 0);
}

const ranged = (low, high, part) => low * (high / low) ** part; // evenly in octaves
const partOf = (low, high, value) => Math.log(value / low) / Math.log(high / low);
const hertz = (value) => `${value.toFixed(1)} Hz`;
const slopes = (value) => `${value.toFixed(2)} octaves/s`;
const samples = (value) => `${value} samples (${(value / RATE).toFixed(2)} s)`;

/** Ticks and names of the axes of a plot, in the units of a 360 x 310 drawing. */
const PLOT = { left: 52, top: 8, width: 300, height: 254 };

function axes(across, up) {
  const { left, top, width, height } = PLOT;
  const bottom = top + height;
  const group = make("g", { "aria-hidden": "true" });
  const frame = { x: left, y: top, width, height, fill: "none", stroke: "currentColor" };
  group.append(make("rect", frame));
  for (const [part, label] of across.ticks) {
    const x = left + part * width;
    group.append(make("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4, stroke: "currentColor" }));
    group.append(make("text", { x, y: bottom + 18, "text-anchor": "middle" }, label));
  }
  for (const [part, label] of up.ticks) {
    const y = bottom - part * height;
    group.append(make("line", { x1: left - 4, x2: left, y1: y, y2: y, stroke: "currentColor" }));
    group.append(make("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, label));
  }
  const middle = left + width / 2;
  group.append(make("text", { x: middle, y: 304, "text-anchor": "middle" }, across.name));
  const turn = `rotate(-90) translate(${-(top + height / 2)} 12)`;
  group.append(make("text", { transform: turn, "text-anchor": "middle" }, up.name));
  return group;
}

/** A canvas under a drawing with axes; they scale together. */
function plot(across, up) {
  const { left, top, width, height } = PLOT;
  const canvas = make("canvas", { "aria-hidden": "true" });
  canvas.style.cssText =
    `left:${left / 3.6}%;top:${top / 3.1}%;width:${width / 3.6}%;height:${height / 3.1}%`;
  const svg = make("svg", { viewBox: "0 0 360 310", role: "img" }, axes(across, up));
  return { box: make("div", { class: "dtfa-plot" }, canvas, svg), canvas, svg };
}
