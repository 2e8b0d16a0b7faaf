// Sound cards: a click plays or pauses, one sound at a time; keys switch within a row.

if (!window.dtfaCards) {
  window.dtfaCards = true; // one copy listens, for all the cards of a page
  const soundsIn = (part) => [...part.querySelectorAll(".dtfa-card audio")];
  const playing = () => soundsIn(document).find((sound) => !sound.paused);
  const buttonOf = (sound) => sound.closest(".dtfa-card").querySelector("button");

  function play(sound, from) {
    const before = playing();
    if (before && before !== sound) {
      before.pause();
      before.currentTime = 0;
    }
    sound.currentTime = from;
    sound.play().catch(() => {}); // another sound may stop it before it begins
  }

  function follow(sound) {
    const at = sound.ended ? 0 : sound.currentTime / sound.duration || 0;
    sound.closest(".dtfa-card").style.setProperty("--at", at);
    if (!sound.paused) requestAnimationFrame(() => follow(sound));
  }

  for (const kind of ["play", "pause", "ended", "seeked"]) {
    document.addEventListener(kind, ({ target }) => {
      if (!target.matches?.(".dtfa-card audio")) return;
      buttonOf(target).setAttribute("aria-pressed", !target.paused);
      follow(target);
    }, true); // events of media do not bubble
  }

  document.addEventListener("click", ({ target }) => {
    const sound = target.closest?.(".dtfa-card button")?.parentElement.querySelector("audio");
    if (sound?.paused) play(sound, sound.ended ? 0 : sound.currentTime);
    else sound?.pause();
  });

  // Before Jupyter or the deck, which have their own use for these keys.
  addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches?.("textarea, select, input:not([type=range], [type=radio])")) return;
    const now = playing();
    const focused = target.closest?.(".dtfa-card")?.querySelector("audio");
    const row = (focused ?? now)?.closest(".dtfa-row");
    if (!row || target.isContentEditable) return;
    const sounds = soundsIn(row);
    const step = focused && { ArrowLeft: -1, ArrowRight: 1 }[key];
    const next = step
      ? sounds.at((sounds.indexOf(focused) + step) % sounds.length)
      : key.length === 1 && sounds["abcdefgh".indexOf(key.toLowerCase())];
    if (!next || buttonOf(next).disabled) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (focused) buttonOf(next).focus();
    const among = sounds.includes(now);
    if (among || !step) play(next, among ? now.currentTime : 0);
  }, true);
}
