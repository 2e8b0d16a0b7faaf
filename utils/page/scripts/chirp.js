// The book's chirp in the browser: its samples, its scalogram, its sound. Mirrors utils/synth.py.

const RATE = 8192;
const LENGTH = 4 * RATE;
const CARRIER = 512;
const BANDWIDTH = 2;

/** Samples of `am_chirp` (Vahidi et al. 2023) at unit energy, `late` samples late. */
function chirp([rate, slope], late = 0) {
  const x = new Float64Array(LENGTH);
  let energy = 0;
  for (let n = 0; n < LENGTH; n++) {
    const t = n / RATE - LENGTH / RATE / 2;
    const octaves = slope * t;
    const u = Math.LN2 * octaves;
    const phase = 2 * Math.PI * CARRIER * t * (u === 0 ? 1 : Math.expm1(u) / u);
    const window = Math.exp(-0.5 * (octaves / (0.1 * BANDWIDTH)) ** 2);
    x[n] = Math.sin(phase) * Math.sin(2 * Math.PI * rate * t) * window;
    energy += x[n] ** 2;
  }
  const y = new Float64Array(LENGTH);
  for (let n = late; n < LENGTH; n++) y[n] = x[n - late] / Math.sqrt(energy);
  return y;
}

const TURNS = {}; // by size, the cosines and sines of a Fourier transform

/** In place, the Fourier transform of a complex signal; `sign` -1 forward, +1 back, unscaled. */
function fourier(re, im, sign) {
  const size = re.length;
  const turns = (TURNS[size] ??= Float64Array.from({ length: size }, (_, k) => {
    const angle = (2 * Math.PI * (k >> 1)) / size;
    return k % 2 ? Math.sin(angle) : Math.cos(angle);
  }));
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let span = 1; span < size; span <<= 1) {
    const step = size / span;
    for (let start = 0; start < size; start += 2 * span) {
      for (let k = 0, a = start, b = start + span; k < span; k++, a++, b++) {
        const c = turns[k * step];
        const s = sign * turns[k * step + 1];
        const r = re[b] * c - im[b] * s;
        const i = re[b] * s + im[b] * c;
        re[b] = re[a] - r;
        im[b] = im[a] - i;
        re[a] += r;
        im[a] += i;
      }
    }
  }
}

const LOWEST = 64; // Hz
const PER_OCTAVE = 12;
const ROWS = 68; // up to 3070 Hz
const FRAMES = 512;
const SHOWN = [19, 54]; // rows in which chirps lie
const DECIBELS = 40; // shown below the loudest point

/** Level of a Morlet scalogram, ROWS of FRAMES, in parts of [0, 1] that stand for DECIBELS. */
function scalogram(x) {
  const re = Float64Array.from(x);
  const im = new Float64Array(LENGTH);
  fourier(re, im, -1);
  const level = new Float64Array(ROWS * FRAMES);
  let peak = 0;
  for (let row = 0; row < ROWS; row++) {
    const centre = (LOWEST * 2 ** (row / PER_OCTAVE) * LENGTH) / RATE;
    const width = 0.08 * centre;
    const a = new Float64Array(FRAMES);
    const b = new Float64Array(FRAMES);
    const last = Math.min(LENGTH / 2, Math.ceil(centre + 4 * width));
    for (let k = Math.max(1, Math.floor(centre - 4 * width)); k < last; k++) {
      const gain = Math.exp(-0.5 * ((k - centre) / width) ** 2);
      a[k % FRAMES] += gain * re[k]; // to fold the spectrum is to keep every 64th sample
      b[k % FRAMES] += gain * im[k];
    }
    fourier(a, b, 1);
    for (let m = 0; m < FRAMES; m++) {
      const here = Math.hypot(a[m], b[m]);
      level[row * FRAMES + m] = here;
      peak = Math.max(peak, here);
    }
  }
  const floor = 10 ** (-DECIBELS / 20);
  return level.map((v) => 1 + (20 * Math.log10(Math.max(v / (peak || 1), floor))) / DECIBELS);
}

/** The common loudness of utils/page/show.py: the loudest 0.4 s at a tenth of full scale. */
function atLoudness(x) {
  const part = Math.round(0.4 * RATE);
  let power = 0;
  let peak = 0;
  for (let n = 0; n + part <= x.length; n += part >> 2) {
    let sum = 0;
    for (let m = n; m < n + part; m++) sum += x[m] ** 2;
    power = Math.max(power, sum / part);
  }
  for (const v of x) peak = Math.max(peak, Math.abs(v));
  const gain = power ? Math.min(0.1 / Math.sqrt(power), 1 / peak) : 1;
  return x.map((v) => gain * v);
}

/** Columns of scalograms in which anything sounds, with some air; a second at least. */
function sounding(levels) {
  const heard = (column) =>
    levels.some((level) => {
      for (let row = 0; row < ROWS; row++) if (level[row * FRAMES + column] > 0) return true;
      return false;
    });
  let [first, last] = [0, FRAMES - 1];
  while (first < last && !heard(first)) first++;
  while (first < last && !heard(last)) last--;
  const spare = Math.max(8, (FRAMES / 4 - (last + 1 - first)) >> 1);
  return [Math.max(0, first - spare), Math.min(FRAMES, last + 1 + spare)];
}

/** Samples in [-1, 1] as a file: 16-bit WAV. */
function wav(x) {
  const view = new DataView(new ArrayBuffer(44 + 2 * x.length));
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * x.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * x.length, true);
  x.forEach((v, n) => view.setInt16(44 + 2 * n, Math.round(32767 * v), true));
  return new Blob([view], { type: "audio/wav" });
}
