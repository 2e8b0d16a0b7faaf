// Formulas are set once one of them is less than a screen away, or the page is printed. MathJax comes
// without its menu.
const home = document.currentScript.src;
const watcher = new IntersectionObserver((seen) => {
  if (seen.some(({ isIntersecting }) => isIntersecting)) setFormulas();
}, { rootMargin: "100% 0%" });
function setFormulas() {
  if (window.MathJax?.loader) return;
  watcher.disconnect();
  const load = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"];
  window.MathJax = { ...window.MathJax, loader: { load } };
  const script = document.createElement("script");
  script.src = new URL("mathjax/startup.js", home);
  document.head.append(script);
}
addEventListener("DOMContentLoaded", () => {
  for (const formula of document.querySelectorAll(".math")) watcher.observe(formula);
});

// Paper is light, and has everything that unfolds but code.
const { dataset } = document.documentElement;
addEventListener("beforeprint", () => {
  setFormulas();
  for (const image of document.images) image.loading = "eager";
  for (const text of document.querySelectorAll("details:not(.hide)")) text.open = true;
  dataset.onScreen = dataset.theme;
  dataset.theme = "light";
});
addEventListener("afterprint", () => (dataset.theme = dataset.onScreen));
