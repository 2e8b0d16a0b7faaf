// MathJax is a megabyte: it comes once a formula is less than a screen away.
const folder = document.currentScript.src;
const watcher = new IntersectionObserver((seen) => {
  if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
  watcher.disconnect();
  const script = document.createElement("script");
  script.src = new URL("mathjax/tex-chtml.js", folder);
  document.head.append(script);
}, { rootMargin: "100% 0%" });
addEventListener("DOMContentLoaded", () => {
  for (const formula of document.querySelectorAll(".math")) watcher.observe(formula);
});
