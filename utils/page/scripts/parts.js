// What both explorers are made of.

/** An element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const vector = ["svg", "path", "circle", "polyline"].includes(tag);
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
    row: make("label", { class: "dtfa-slider" }, make("span", {}, label), input, shown),
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

/** A sound card, as show.py makes them, whose sound is made here by `set`. */
function soundCard(label, role = "ink") {
  const [canvas, audio] = [make("canvas"), make("audio", { preload: "none" })];
  const picture = make("span", { class: "dtfa-picture" }, canvas, make("i"));
  const name = make("span", { class: "dtfa-name" }, label);
  const look = { type: "button", "aria-label": `Play: ${label}`, "aria-pressed": "false" };
  const button = make("button", { ...look, disabled: "" }, picture, name);
  const ink = `--ink: var(--dtfa-${role})`;
  return {
    box: make("div", { class: "dtfa-card", style: ink }, button, audio),
    /** Draw what stands in a scalogram between two of its columns. */
    draw(level, [first, last]) {
      const [low, high] = SHOWN;
      paint(canvas, last - first, high - low, (column, row) => {
        const grey = Math.round(255 * (1 - level[(low + row) * FRAMES + first + column]));
        return 0xff000000 | (grey * 0x10101);
      });
      picture.style.setProperty("--seconds", ((last - first) / FRAMES) * (LENGTH / RATE));
      picture.style.setProperty("--line", (36.5 - low) / (high - low)); // of 512 Hz
    },
    set({ x, level }, [first, last]) {
      this.draw(level, [first, last]);
      const [playing, at] = [!audio.paused, audio.currentTime];
      URL.revokeObjectURL(audio.src);
      const hop = LENGTH / FRAMES;
      audio.src = URL.createObjectURL(wav(atLoudness(x).subarray(first * hop, last * hop)));
      button.disabled = false;
      if (!playing) return;
      audio.currentTime = at;
      audio.play().catch(() => {});
    },
    mute() {
      audio.pause();
      button.disabled = true;
    },
  };
}

/** What an explorer consists of, under its instructions. */
function stage(how, ...parts) {
  return make("div", { class: "dtfa-stage" }, make("p", {}, how), ...parts);
}

/** Runs `work` once things have been at rest for a moment; a later call replaces it. */
function atRest(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, 120);
  };
}

/** Paint `colour(column, row)`, row 0 at the bottom, each colour 0xAABBGGRR. */
function paint(canvas, columns, rows, colour) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0, at = (rows - 1) * columns; row < rows; row++, at -= columns) {
    for (let column = 0; column < columns; column++) pixels[at + column] = colour(column, row);
  }
  context.putImageData(image, 0, 0);
}

const ranged = (low, high, part) => low * (high / low) ** part; // evenly in octaves
const partOf = (low, high, value) => Math.log(value / low) / Math.log(high / low);
const hertz = (value) => `${value.toFixed(1)} Hz`;
const slopes = (value) => `${value.toFixed(2)} octaves/s`;
const milliseconds = (samples) => `${Math.round((1000 * samples) / RATE)} ms`;
