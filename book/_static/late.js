// Formulas are set once one of them is less than a screen away. MathJax comes without its menu.
const home = document.currentScript.src;
const watcher = new IntersectionObserver((seen) => {
  if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
  watcher.disconnect();
  const load = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"];
  window.MathJax = { ...window.MathJax, loader: { load } };
  const script = document.createElement("script");
  script.src = new URL("mathjax/startup.js", home);
  document.head.append(script);
}, { rootMargin: "100% 0%" });
addEventListener("DOMContentLoaded", () => {
  for (const formula of document.querySelectorAll(".math")) watcher.observe(formula);
});

// Paper is light.
const { dataset } = document.documentElement;
addEventListener("beforeprint", () => {
  dataset.onScreen = dataset.theme;
  dataset.theme = "light";
});
addEventListener("afterprint", () => (dataset.theme = dataset.onScreen));
