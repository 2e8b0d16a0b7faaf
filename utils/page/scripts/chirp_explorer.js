// Two parameters and a delay: hear the chirp, see its scalogram change.

function startChirp(box, { colours, ranges }) {
  const STEPS = 100;
  const across = { name: "time (s)", ticks: [0, 1, 2, 3, 4].map((s) => [s / 4, String(s)]) };
  const heights = [64, 128, 256, 512, 1024, 2048];
  const up = {
    name: "frequency (Hz)",
    ticks: heights.map((f) => [(Math.log2(f / LOWEST) * PER_OCTAVE + 0.5) / ROWS, String(f)]),
  };
  const { box: figure, canvas, svg } = plot(across, up);
  const sound = player("this chirp");
  const readRate = (place) => ranged(...ranges[0], place / STEPS);
  const readSlope = (place) => ranged(...ranges[1], place / STEPS);
  const readDelay = (place) => 64 * place;

  let x;
  const sing = () => sound.set(wav(x));
  const singAtRest = atRest(sing);
  function draw() {
    const [rate, slope] = [readRate(controls[0].get()), readSlope(controls[1].get())];
    x = chirp([rate, slope], readDelay(controls[2].get()));
    const level = scalogram(x);
    paint(canvas, FRAMES, ROWS, (column, row) => level[row * FRAMES + column], colours);
    const tremolo = (2 * rate).toFixed(1);
    svg.setAttribute(
      "aria-label",
      `Scalogram: a line that climbs ${slopes(slope)}, cut into beads by a tremolo of ${tremolo} ` +
        `Hz, and crosses 512 Hz ${(2 + readDelay(controls[2].get()) / RATE).toFixed(2)} s in.`,
    );
  }
  function changed() {
    draw();
    singAtRest();
  }
  const start = [partOf(...ranges[0], 8), partOf(...ranges[1], 2)]; // Hz, octaves/s
  const controls = [
    slider("modulation frequency f_m", STEPS, STEPS * start[0], (p) => hertz(readRate(p)), changed),
    slider("chirp rate γ", STEPS, STEPS * start[1], (p) => slopes(readSlope(p)), changed),
    slider("delay", 64, 0, (p) => samples(readDelay(p)), changed),
  ];
  box.replaceChildren(...controls.map((control) => control.row), figure, sound.figure);
  draw();
  sing();
}
