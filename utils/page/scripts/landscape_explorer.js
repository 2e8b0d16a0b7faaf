// Losses over one grid: move the target and the start, delay the target, let searches descend.

const STEPS = 50; // of a descent
const LASTS = 2500; // milliseconds of its motion
const MARKS = { // shapes in a box of 24
  truth: "M12 1 15.2 8.6 23 9.4 17 14.6 18.8 22.5 12 18.4 5.2 22.5 7 14.6 1 9.4 8.8 8.6Z",
  start: "M6 6h12v12h-12Z",
  end: "M4.5 7.5 7.5 4.5 12 9 16.5 4.5 19.5 7.5 15 12 19.5 16.5 16.5 19.5 12 15 7.5 19.5 4.5 16.5 9 12Z",
};

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
function descend(slopeAt, start, spans, first = 0.1) {
  const path = [start];
  const mean = [0, 0];
  const square = [0, 0];
  let here = start;
  for (let n = 1; n <= STEPS; n++) {
    const slope = slopeAt(here);
    const size = (first * (1 + Math.cos((Math.PI * (n - 1)) / STEPS))) / 2;
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

function startLandscape(box, data, packed) {
  const { ranges, shape, places, delays } = data; // shape: grid points over f_m, gamma
  const points = shape[0] * shape[1];
  const [tall, wide] = places; // places of the target, over f_m and over gamma
  const spans = ranges.map(([low, high]) => Math.log(high / low));
  const value = (parts) => parts.map((part, k) => ranged(...ranges[k], part));
  const placeOf = (parts) =>
    parts.map((p, k) => Math.min(places[k] - 1, Math.max(0, Math.floor(p * places[k]))));
  const state = { descended: false };
  const truth = () => state.place.map((place, k) => (place + 0.5) / places[k]);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const panels = data.losses.map(({ title }, k) => ({ ...panel(k, title), title, k }));
  let bytes; // of all losses, once they are here

  /** Losses (G,) and slopes (2 G,) for the chosen target, each in parts of its largest. */
  function surfaceOf({ k }) {
    const each = tall * wide * delays.length * points;
    const at = (state.delay * tall + state.place[0]) * wide + state.place[1];
    return {
      loss: new Uint8Array(bytes, 3 * each * k + at * points, points),
      slope: new Int8Array(bytes, 3 * each * k + each + 2 * at * points, 2 * points),
    };
  }

  /** Mean of values at the four grid points around a position; beyond the edge, of those there. */
  function between([part, other], at) {
    const i = Math.min(1, Math.max(0, part)) * (shape[0] - 1);
    const j = Math.min(1, Math.max(0, other)) * (shape[1] - 1);
    const [a, b] = [Math.min(Math.floor(i), shape[0] - 2), Math.min(Math.floor(j), shape[1] - 2)];
    const [corner, u, v] = [a * shape[1] + b, i - a, j - b];
    const low = at(corner) * (1 - v) + at(corner + 1) * v;
    const high = at(corner + shape[1]) * (1 - v) + at(corner + shape[1] + 1) * v;
    return low * (1 - u) + high * u;
  }

  /** A square plot: colours under arrows, rings and a path, under marks that can be dragged. */
  function panel(k, title) {
    const canvas = make("canvas");
    const lines = ["arrows", "rings", "path"].map((kind) => make("path", { class: `dtfa-${kind}` }));
    const drawn = make("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" }, ...lines);
    const marks = Object.fromEntries(
      Object.entries(MARKS).map(([kind, d]) => {
        const mark = make("svg", { viewBox: "0 0 24 24", class: `dtfa-mark dtfa-${kind}` });
        mark.append(make("path", { d }));
        return [kind, mark];
      }),
    );
    const look = { class: "dtfa-plot", role: "img", "aria-label": title };
    const plot = make("div", look, canvas, drawn);
    plot.append(marks.end, marks.start, marks.truth);
    for (const [n, ticks] of [[0, [4, 8, 16]], [1, k ? [] : [0.5, 1, 2, 4]]]) {
      for (const tick of ticks) {
        const at = `--at: ${partOf(...ranges[n], tick)}`;
        const way = n ? "up" : "across";
        plot.append(make("span", { class: `dtfa-${way}`, style: at, "aria-hidden": "true" }, `${tick}`));
      }
    }
    const verdict = make("p", { class: "dtfa-verdict", "aria-live": "polite" });
    const role = `--ink: var(--dtfa-${data.losses[k].role})`;
    const whole = make("div", { style: role }, make("div", { class: "dtfa-title" }, title), plot, verdict);
    plot.addEventListener("pointerdown", (event) => drag(event, plot));
    drawn.addEventListener("click", (event) => change({ start: pointed(event, plot) }));
    return { whole, plot, canvas, lines, marks, verdict };
  }

  /** Where in a plot an event points, in parts of the range. */
  function pointed({ clientX, clientY }, plot) {
    const { left, bottom, width, height } = plot.getBoundingClientRect();
    const at = [(clientX - left) / width, (bottom - clientY) / height];
    return at.map((part) => Math.min(1, Math.max(0, part)));
  }

  /** Move the mark that was grasped, of the target or the start. */
  function drag(event, plot) {
    const mark = event.target.closest(".dtfa-mark");
    if (!mark) return;
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    plot.onpointermove = (moved) => {
      const parts = pointed(moved, plot);
      if (mark.matches(".dtfa-start")) return change({ start: parts });
      const place = placeOf(parts);
      if (String(place) !== String(state.place)) change({ place });
    };
    plot.onpointerup = plot.onpointercancel = () => (plot.onpointermove = null);
  }

  function draw(one) {
    const { loss, slope } = surfaceOf(one);
    const size = 64;
    paint(one.canvas, size, size, (column, row) => {
      const here = between([column / (size - 1), row / (size - 1)], (at) => loss[at]) / 255;
      return data.colours[Math.round(Math.round(here * 20) * 3.15)]; // 20 levels, of 64 colours
    });
    const arrows = [];
    const aim = truth();
    one.home = 0;
    for (let at = 0; at < points; at++) {
      const parts = [Math.floor(at / shape[1]) / (shape[0] - 1), (at % shape[1]) / (shape[1] - 1)];
      const way = [-slope[2 * at], -slope[2 * at + 1]].map((v) => v * Math.abs(v)); // as packed
      const length = Math.hypot(...way) || 1;
      const toward = way.map((v, k) => v * (aim[k] - parts[k]) * spans[k]);
      one.home += toward[0] + toward[1] > 0;
      arrows.push(arrow(100 * parts[0], 100 - 100 * parts[1], way[0] / length, -way[1] / length));
    }
    const minima = minimaOf(loss, shape);
    const rings = minima.map(([i, j]) => {
      const [x, y] = [(100 * i) / (shape[0] - 1), 100 - (100 * j) / (shape[1] - 1)];
      return `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0`;
    });
    one.minima = minima.length;
    one.lines[0].setAttribute("d", arrows.join(""));
    one.lines[1].setAttribute("d", rings.join(""));
    const slopeAt = (parts) =>
      [0, 1].map((k) => between(parts, (at) => slope[2 * at + k] * Math.abs(slope[2 * at + k])));
    one.path = descend(slopeAt, state.start, spans);
    put(one.marks.truth, aim);
    put(one.marks.start, state.start);
    walk(one, state.descended ? STEPS : 0);
  }

  function arrow(x, y, dx, dy) {
    const [tipX, tipY] = [x + 3 * dx, y + 3 * dy];
    const wing = (s) => `M${tipX} ${tipY}l${-1.9 * dx - s * dy} ${-1.9 * dy + s * dx}`;
    return `M${x - 3 * dx} ${y - 3 * dy}L${tipX} ${tipY}${wing(1.2)}${wing(-1.2)}`;
  }

  function put(mark, [across, up]) {
    mark.style.left = `${100 * across}%`;
    mark.style.top = `${100 - 100 * up}%`;
  }

  /** Show so many steps of a descent. */
  function walk(one, steps) {
    const shown = one.path.slice(0, steps + 1);
    const line = shown.map(([a, b]) => `${100 * a} ${100 - 100 * b}`);
    one.lines[2].setAttribute("d", `M${line.join("L")}`);
    put(one.marks.end, shown.at(-1));
    one.marks.end.toggleAttribute("hidden", steps === 0);
  }

  /** Whether and where a descent arrives, in words. */
  function judge({ path, minima, home }) {
    if (!state.descended) {
      const count = `${minima} ${minima === 1 ? "minimum" : "minima"} on the grid (circles)`;
      return `${count}; ${Math.round((100 * home) / points)}% of the arrows point within 90° of the star.`;
    }
    const end = path.at(-1);
    const [found, wanted] = [value(end), value(truth())];
    const where = `${hertz(found[0])}, ${slopes(found[1])}`;
    if (end.some((p) => p < -0.02 || p > 1.02)) return `Lost, out of range: ${where}.`;
    const near = (p, k) => Math.abs(p - truth()[k]) * (shape[k] - 1) < 1;
    if (end.every(near)) return `Found: ${where}.`;
    const off = Math.max(...found.map((v, k) => Math.abs(v / wanted[k] - 1)));
    return `Lost, ${Math.round(100 * off)}% off: ${where}.`;
  }

  /** Both descents as motion; at once, where the reader prefers less of it. */
  function run() {
    const began = performance.now();
    const token = (state.run = {});
    cards.slice(1).forEach((card) => card.mute());
    state.descended = false;
    (function frame(now) {
      if (state.run !== token) return; // something changed meanwhile
      const part = still.matches ? 1 : Math.max(0, Math.min(1, (now - began) / LASTS));
      panels.forEach((one) => walk(one, Math.round(STEPS * part)));
      if (part < 1) requestAnimationFrame(frame);
      else finish();
    })(began);
  }

  function finish() {
    state.descended = true;
    settle();
  }

  /** Words and sounds: a thing for when the hand rests. A hand that moves again is not kept. */
  async function settle() {
    for (const one of panels) {
      one.verdict.textContent = judge(one);
      one.plot.setAttribute("aria-label", `${one.title}. ${one.verdict.textContent}`);
    }
    const token = (state.settling = {});
    const clip = (parts) => value(parts.map((p) => Math.min(1.5, Math.max(-0.5, p))));
    const found = state.descended ? panels.map(({ path }) => clip(path.at(-1))) : [];
    const sounds = [];
    for (const theta of [value(truth()), ...found]) {
      const x = chirp(theta, sounds.length ? 0 : delays[state.delay]);
      sounds.push({ x, level: scalogram(x) });
      await new Promise((soon) => setTimeout(soon));
      if (state.settling !== token) return;
    }
    const part = sounding(sounds.map(({ level }) => level));
    cards.forEach((card, k) => (sounds[k] ? card.set(sounds[k], part) : card.mute()));
  }
  const settleAtRest = atRest(settle);

  function change(what) {
    Object.assign(state, what, { run: null, settling: null });
    box.querySelectorAll(":checked").forEach((input) => (input.checked = false));
    panels.forEach(draw);
    setters.forEach((set) => set());
    settleAtRest();
  }

  const setters = [];
  function control(label, steps, read, say, write) {
    const one = slider(label, steps, 0, say, () => change(write(one.get())));
    setters.push(() => one.set(read()));
    return one.row;
  }
  const swap = (list, k, next) => list.map((each, m) => (m === k ? next : each));
  const onPlace = (label, k, say) =>
    control(label, places[k] - 1, () => state.place[k],
      (p) => say(ranged(...ranges[k], (p + 0.5) / places[k])),
      (p) => ({ place: swap(state.place, k, p) }));
  const onStart = (label, k, say) =>
    control(label, 40, () => Math.round(40 * state.start[k]),
      (p) => say(ranged(...ranges[k], p / 40)),
      (p) => ({ start: swap(state.start, k, p / 40) }));
  const rows = [
    control("target delay", delays.length - 1, () => state.delay,
      (p) => milliseconds(delays[p]), (p) => ({ delay: p })),
    onPlace("target fₘ", 0, hertz),
    onPlace("target γ", 1, slopes),
    onStart("start fₘ", 0, hertz),
    onStart("start γ", 1, slopes),
  ];

  const parts = (theta) => theta.map((v, k) => partOf(...ranges[k], v));
  const choose = ({ target, start, delay }) => change({
    place: placeOf(parts(target)), start: parts(start), delay: delays.indexOf(delay), descended: false,
  });
  const group = `dtfa-${Math.random()}`;
  const examples = Object.entries(data.examples).map(([label, example]) => {
    const input = make("input", { type: "radio", name: group });
    input.addEventListener("change", () => {
      choose(example);
      input.checked = true;
    });
    return make("label", {}, input, make("span", {}, label));
  });
  const go = make("button", { type: "button", class: "dtfa-go" }, "Descend");
  go.addEventListener("click", run);
  const again = make("button", { type: "button" }, "Reset");
  again.addEventListener("click", () => choose(data.first));
  const cards = [
    soundCard("target"),
    ...data.losses.map(({ name, role }) => soundCard(`found by ${name}`, role)),
  ];
  box.replaceChildren(stage(
    "Two searches go downhill from the square. Do they reach the star? Drag either mark, or pick an " +
      "example; then press Descend.",
    make("div", { class: "dtfa-panels" }, ...panels.map(({ whole }) => whole)),
    make("div", { class: "dtfa-choice", role: "group", "aria-label": "Run, or choose an example" },
      go, again, ...examples),
    make("div", { class: "dtfa-sliders" }, ...rows),
    make("div", { class: "dtfa-row", role: "group", "aria-label": "Sounds" },
      ...cards.map((card) => card.box)),
  ));
  packed.then((text) => {
    bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
    choose(data.first);
  });
}
