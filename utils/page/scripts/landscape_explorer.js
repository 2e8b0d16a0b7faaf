// Losses over one grid: move the target, change the delay, choose a start, watch a descent.

/** Numbers of a base64 text, in single precision. */
function unpack(text) {
  return new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

/** Where a surface is lower than at each neighbour, diagonal ones included. */
function minimaOf(surface, [rows, columns]) {
  const found = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let lowest = true;
      for (let a = Math.max(0, i - 1); a <= Math.min(rows - 1, i + 1); a++) {
        for (let b = Math.max(0, j - 1); b <= Math.min(columns - 1, j + 1); b++) {
          const other = a !== i || b !== j;
          if (other && surface[a * columns + b] <= surface[i * columns + j]) lowest = false;
        }
      }
      if (lowest) found.push([i, j]);
    }
  }
  return found;
}

/** Adam of utils/search/match.py on a slope between grid points; positions are in parts of the range. */
function descend(slopeAt, start, spans, steps = 50, first = 0.1) {
  const path = [start];
  const mean = [0, 0];
  const square = [0, 0];
  let here = start;
  for (let n = 1; n <= steps; n++) {
    const slope = slopeAt(here);
    const size = (first * (1 + Math.cos((Math.PI * (n - 1)) / steps))) / 2;
    here = here.map((part, k) => {
      mean[k] = 0.9 * mean[k] + 0.1 * slope[k];
      square[k] = 0.999 * square[k] + 0.001 * slope[k] ** 2;
      const up = mean[k] / (1 - 0.9 ** n);
      const scale = Math.sqrt(square[k] / (1 - 0.999 ** n)) || 1;
      return part - (size * up) / scale / spans[k];
    });
    path.push(here);
  }
  return path;
}

function startLandscape(box, data) {
  const { ranges, shape } = data; // shape: grid points over f_m and over gamma
  const points = shape[0] * shape[1];
  const [tall, wide] = data.places; // places of the target, over f_m and over gamma
  const start = data.start?.map((value, k) => partOf(...ranges[k], value));
  const spans = ranges.map(([low, high]) => Math.log(high / low));
  const value = (parts) => parts.map((part, k) => ranged(...ranges[k], part));
  const middle = data.places.map((n) => Math.floor(n / 2));
  const state = { place: middle, delay: data.delay, start };
  const truth = () => state.place.map((place, k) => (place + 0.5) / data.places[k]);

  const panels = Object.keys(data.values).map((name) => ({
    name,
    values: unpack(data.values[name]),
    slopes: unpack(data.slopes[name]),
    ...panel(name),
  }));

  /** Loss (G,) and slope (2 G,) for the chosen target. */
  function surfaceOf({ values, slopes }) {
    const at = (state.delay * tall + state.place[0]) * wide + state.place[1];
    return {
      loss: values.subarray(at * points, (at + 1) * points),
      slope: slopes.subarray(2 * at * points, 2 * (at + 1) * points),
    };
  }

  /** Weights of the four grid points around a position; beyond the edge, those at the edge. */
  function around(parts) {
    const [i, j] = parts.map((p, k) => Math.min(1, Math.max(0, p)) * (shape[k] - 1));
    const [a, b] = [Math.min(Math.floor(i), shape[0] - 2), Math.min(Math.floor(j), shape[1] - 2)];
    const corner = a * shape[1] + b;
    return [
      [corner, (1 - i + a) * (1 - j + b)],
      [corner + 1, (1 - i + a) * (j - b)],
      [corner + shape[1], (i - a) * (1 - j + b)],
      [corner + shape[1] + 1, (i - a) * (j - b)],
    ];
  }

  const toX = (part) => PLOT.left + part * PLOT.width;
  const toY = (part) => PLOT.top + (1 - part) * PLOT.height;

  function panel(name) {
    const tick = (range) => (v) => [partOf(...range, v), String(v)];
    const across = { name: "modulation frequency f_m (Hz)", ticks: [4, 8, 16].map(tick(ranges[0])) };
    const up = { name: "chirp rate γ (octaves/s)", ticks: [0.5, 1, 2, 4].map(tick(ranges[1])) };
    const { box: drawing, canvas, svg } = plot(across, up);
    const { left, top, width, height } = PLOT;
    const frame = { x: left - 8, y: top - 8, width: width + 16, height: height + 16 };
    const viewBox = Object.values(frame).join(" ");
    const marks = make("svg", { ...frame, viewBox }); // clips what leaves the range
    const star = make("g", { class: "dtfa-handle" });
    const reach = { r: 22, fill: "transparent" };
    const shape = "M0-11 3.2-3.4 11-3.4 4.8 1.6 7 9.5 0 5-7 9.5-4.8 1.6-11-3.4-3.2-3.4Z";
    star.append(make("circle", reach), make("path", { d: shape, class: "dtfa-star" }));
    svg.append(marks, star);
    const text = make("p", { class: "dtfa-says" });
    const figure = make("figure", {}, make("figcaption", {}, name), drawing, text);
    star.addEventListener("pointerdown", (event) => drag(event, svg, star));
    // A finger on the star drags it and does not scroll; touch-action does nothing within SVG.
    star.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    if (data.start) {
      svg.addEventListener("click", (event) => {
        if (star.contains(event.target)) return;
        state.start = positionOf(event, svg);
        show();
      });
    }
    return { figure, canvas, svg, marks, star, text };
  }

  /** Where in the range an event points, in parts of it. */
  function positionOf({ clientX, clientY }, svg) {
    const point = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    const across = (point.x - PLOT.left) / PLOT.width;
    const up = 1 - (point.y - PLOT.top) / PLOT.height;
    return [across, up].map((part) => Math.min(1, Math.max(0, part)));
  }

  function drag(event, svg, star) {
    event.preventDefault();
    star.setPointerCapture(event.pointerId);
    star.onpointermove = (moved) => {
      const next = positionOf(moved, svg).map((part, k) =>
        Math.min(data.places[k] - 1, Math.floor(part * data.places[k])),
      );
      if (next.some((place, k) => place !== state.place[k])) {
        state.place = next;
        show();
      }
    };
    star.onpointerup = star.onpointercancel = () => (star.onpointermove = null);
  }

  function draw(one) {
    const { loss, slope } = surfaceOf(one);
    const top = Math.max(...loss) || 1;
    const size = 80;
    paint(one.canvas, size, size, (column, row) => {
      const near = around([column / (size - 1), row / (size - 1)]);
      const here = near.reduce((sum, [at, weight]) => sum + weight * loss[at], 0) / top;
      return Math.round(here * 20) / 20; // in levels, as in the figures
    }, data.colours);
    const marks = [];
    let home = 0;
    for (let i = 0; i < shape[0]; i++) {
      for (let j = 0; j < shape[1]; j++) {
        const parts = [i / (shape[0] - 1), j / (shape[1] - 1)];
        const at = i * shape[1] + j;
        const way = [-slope[2 * at], -slope[2 * at + 1]];
        const length = Math.hypot(...way) || 1;
        const aim = truth().map((p, k) => (p - parts[k]) * spans[k]);
        home += way[0] * aim[0] + way[1] * aim[1] > 0;
        marks.push(arrow(toX(parts[0]), toY(parts[1]), way[0] / length, -way[1] / length));
      }
    }
    const minima = minimaOf(loss, shape);
    for (const [i, j] of minima) {
      const [cx, cy] = [toX(i / (shape[0] - 1)), toY(j / (shape[1] - 1))];
      marks.push(make("circle", { cx, cy, r: 7, class: "dtfa-ring" }));
    }
    const count = `${minima.length} ${minima.length === 1 ? "minimum" : "minima"} on the grid`;
    let says = `${count}, ${Math.round((100 * home) / points)} % of the arrows point home`;
    if (state.start) {
      one.end = walk(slope, marks);
      says += `; the descent ${judge(one.end)}`;
    }
    one.marks.replaceChildren(...marks);
    one.star.setAttribute("transform", `translate(${toX(truth()[0])} ${toY(truth()[1])})`);
    one.text.textContent = `${says}.`;
    one.svg.setAttribute("aria-label", `${one.name}: ${says}.`);
  }

  function arrow(x, y, dx, dy) {
    const [tipX, tipY] = [x + 7 * dx, y + 7 * dy];
    const wing = (turn) => {
      const [c, s] = [Math.cos(turn), Math.sin(turn)];
      return `L${tipX - 5 * (c * dx - s * dy)} ${tipY - 5 * (s * dx + c * dy)}M${tipX} ${tipY}`;
    };
    const path = `M${x - 7 * dx} ${y - 7 * dy}L${tipX} ${tipY}${wing(0.5)}${wing(-0.5)}`;
    return make("path", { d: path, class: "dtfa-arrow" });
  }

  /** Draw a descent from the start; return where it ends. */
  function walk(slope, marks) {
    const slopeAt = (parts) =>
      [0, 1].map((k) => around(parts).reduce((sum, [at, w]) => sum + w * slope[2 * at + k], 0));
    const path = descend(slopeAt, state.start, spans);
    const line = path.map(([a, b]) => `${toX(a)},${toY(b)}`).join(" ");
    marks.push(make("polyline", { points: line, class: "dtfa-path" }));
    const [x, y] = [toX(state.start[0]), toY(state.start[1])];
    marks.push(make("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: "dtfa-start" }));
    const end = path[path.length - 1];
    const [ex, ey] = [toX(end[0]), toY(end[1])];
    const cross = `M${ex - 5} ${ey - 5}l10 10m0-10l-10 10`;
    marks.push(make("path", { d: cross, class: "dtfa-end" }));
    return end;
  }

  function judge(end) {
    const [found, wanted] = [value(end), value(truth())];
    if (end.some((p) => p < -0.02 || p > 1.02)) return "leaves the range";
    const cell = (p, k) => Math.abs(p - truth()[k]) * (shape[k] - 1) < 1;
    if (end.every(cell)) return "arrives, as near as this grid can tell";
    const off = Math.max(...found.map((v, k) => Math.abs(v / wanted[k] - 1)));
    return `ends at ${hertz(found[0])}, ${slopes(found[1])}, ${Math.round(100 * off)} % away`;
  }

  const setters = [];
  function place(label, k, say) {
    const count = data.places[k];
    const read = (p) => say(ranged(...ranges[k], (p + 0.5) / count));
    const control = slider(label, count - 1, state.place[k], read, () => {
      state.place = state.place.map((p, m) => (m === k ? control.get() : p));
      show();
    });
    setters.push(() => control.set(state.place[k]));
    return control.row;
  }
  function begin(label, k, say) {
    const read = (p) => say(ranged(...ranges[k], p / 40));
    const control = slider(label, 40, 40 * state.start[k], read, () => {
      state.start = state.start.map((p, m) => (m === k ? control.get() / 40 : p));
      show();
    });
    setters.push(() => control.set(Math.round(40 * state.start[k])));
    return control.row;
  }
  const delay = slider("delay of the target", data.delays.length - 1, state.delay,
    (p) => samples(data.delays[p]), () => {
      state.delay = delay.get();
      show();
    });
  const rows = [place("target f_m", 0, hertz), place("target γ", 1, slopes), delay.row];
  const players = [player("target")];
  if (state.start) {
    rows.push(begin("start f_m", 0, hertz), begin("start γ", 1, slopes));
    players.push(player("start"), ...panels.map(({ name }) => player(`found by ${name}`)));
  }

  /** Make the sounds anew: a thing for when the hand rests. */
  function sing() {
    const clip = (parts) => value(parts.map((p) => Math.min(1.5, Math.max(-0.5, p))));
    players[0].set(wav(chirp(value(truth()), data.delays[state.delay])));
    if (!state.start) return;
    players[1].set(wav(chirp(value(state.start))));
    panels.forEach(({ end }, k) => players[k + 2].set(wav(chirp(clip(end)))));
  }
  const singAtRest = atRest(sing);
  function show() {
    panels.forEach(draw);
    setters.forEach((set) => set());
    singAtRest();
  }

  box.replaceChildren(
    ...rows,
    make("div", { class: "dtfa-panels" }, ...panels.map(({ figure }) => figure)),
    make("div", {}, ...players.map(({ figure }) => figure)),
  );
  panels.forEach(draw);
  sing();
}
