// Bring to life what stands on the page and is not yet alive: this script runs after each box.

const KINDS = { chirp: startChirp, landscape: startLandscape };
for (const box of document.querySelectorAll(".dtfa-explorer:not([data-alive])")) {
  box.dataset.alive = "";
  KINDS[box.dataset.kind](box, JSON.parse(box.querySelector("script").textContent));
}
