// The page as it is without this file is whole. This file fetches it again while it is looked at,
// and puts what is new in its place.
"use strict";

const every = 10_000;
const parts = ["icon", "headline", "asof", "main"];
const trouble = document.getElementById("trouble");

// The element that has the focus is found again by what it links to, or by its id.
function focused() {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const like = (e) => e.tagName === at.tagName && e.id === at.id && e.getAttribute("href") === at.getAttribute("href");
  const nth = [...document.querySelectorAll(at.tagName)].filter(like).indexOf(at);
  return () => [...document.querySelectorAll(at.tagName)].filter(like)[nth]?.focus({ preventScroll: true });
}

function show(next) {
  const refocus = focused();
  for (const id of parts) {
    const was = document.getElementById(id);
    const is = next.getElementById(id);
    if (is && !was.isEqualNode(is)) was.replaceWith(document.importNode(is, true));
  }
  document.title = next.title;
  if (location.hash) { // what is filtered by it is another element now
    const { scrollX, scrollY } = window;
    location.replace(location.hash);
    scrollTo(scrollX, scrollY);
  }
  refocus?.();
}

async function refresh() {
  if (document.hidden || !getSelection().isCollapsed) return; // nobody looks, or somebody copies
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store", signal: AbortSignal.timeout(every) });
    const text = await answer.text();
    if (answer.ok) show(new DOMParser().parseFromString(text, "text/html"));
    say(answer.ok ? "" : text.trim()); // a service may be gone
  } catch {
    say("The daemon does not answer; this is how it stood.");
  }
}

function say(text) {
  if (trouble.textContent !== text) trouble.textContent = text;
}

setInterval(refresh, every);
document.addEventListener("visibilitychange", refresh);
