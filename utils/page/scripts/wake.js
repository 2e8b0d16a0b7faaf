/** Bring to life the explorers that are not yet: each calls this as soon as it is on the page. */
window.dtfaWake = () => {
  const kinds = { chirp: startChirp, landscape: startLandscape };
  for (const box of document.querySelectorAll(".dtfa-explorer:not([data-alive])")) {
    box.dataset.alive = "";
    const [settings, packed] = box.querySelectorAll("script");
    const data = JSON.parse(settings.textContent);
    kinds[box.dataset.kind](box, data, packed && contentOf(packed, box));
  }
};

/** The text of a script that holds data; of one in a file of its own, once the box comes into view. */
function contentOf({ textContent, dataset }, box) {
  if (!dataset.src) return Promise.resolve(textContent);
  return new Promise((found) => {
    const watcher = new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      watcher.disconnect();
      const script = make("script", { src: dataset.src });
      script.onload = () => found(script.data);
      box.append(script);
    }, { rootMargin: "300px" });
    watcher.observe(box);
  });
}
