// Two parameters and a delay: see and hear the chirp change.

function startChirp(box, { ranges }) {
  const STEPS = 100;
  const whole = [0, FRAMES];
  const card = soundCard("this chirp");
  const read = (k, place) => ranged(...ranges[k], place / STEPS);
  const samples = (place) => 64 * place;

  let sound;
  const singAtRest = atRest(() => card.set(sound, whole));
  function changed() {
    const [rate, slope, late] = controls.map((control) => control.get());
    const x = chirp([read(0, rate), read(1, slope)], samples(late));
    sound = { x, level: scalogram(x) };
    card.draw(sound.level, whole);
    singAtRest();
  }
  const start = [partOf(...ranges[0], 8), partOf(...ranges[1], 2)]; // Hz, octaves/s
  const controls = [
    slider("modulation frequency fₘ", STEPS, STEPS * start[0], (p) => hertz(read(0, p)), changed),
    slider("chirp rate γ", STEPS, STEPS * start[1], (p) => slopes(read(1, p)), changed),
    slider("delay", 64, 0, (p) => milliseconds(samples(p)), changed),
  ];
  const how = "Move a slider; the picture follows. Click the picture to hear it.";
  const sliders = make("div", { class: "dtfa-sliders" }, ...controls.map(({ row }) => row));
  box.replaceChildren(stage(how, card.box, sliders));
  changed();
}
