/**
 * The script of the report, as text: it runs in the reader's browser, under a policy that knows its hash. The page is
 * whole without it; it adds the numbers under the pointer, arrow keys between channels, the enlarged
 * view, and the choice of method and opacity of heat maps.
 */
export const script: string = `
"use strict";
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const box = document.querySelector("dialog.lightbox");
const part = (name) => box.querySelector('[data-part="' + name + '"]');
const tilesOf = (sheet) => all("button.tile", sheet);

/* One tab stop per sheet; the arrow keys move inside it. */
function select(tile, focus) {
  for (const other of tilesOf(tile.closest(".sheet"))) other.tabIndex = other === tile ? 0 : -1;
  if (focus) tile.focus();
}
function tell(tile) {
  const status = tile.closest(".layer")?.querySelector(".status");
  if (status) status.textContent = tile.querySelector("img").alt;
}
function columnsOf(tiles) {
  const top = tiles[0].offsetTop;
  const next = tiles.findIndex((tile) => tile.offsetTop !== top);
  return next < 0 ? tiles.length : next;
}
for (const sheet of all(".sheet")) {
  sheet.addEventListener("pointerover", (event) => {
    const tile = event.target.closest("button.tile");
    if (tile) tell(tile);
  });
  sheet.addEventListener("focusin", (event) => {
    const tile = event.target.closest("button.tile");
    if (tile) { select(tile, false); tell(tile); }
  });
  sheet.addEventListener("click", (event) => {
    const tile = event.target.closest("button.tile");
    if (tile) open(tile);
  });
  sheet.addEventListener("keydown", (event) => {
    const tiles = tilesOf(sheet);
    const at = tiles.indexOf(event.target.closest("button.tile"));
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = columnsOf(tiles);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: tiles.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (tiles[to]) select(tiles[to], true);
  });
}

/* The enlarged view: a channel, beside it what the network saw, both under one zoom. */
let current;
let view = { scale: 1, x: 0, y: 0 };
const panes = all(".pane", box);
function place() {
  const { clientWidth: width, clientHeight: height } = part("pane");
  view.scale = Math.min(40, Math.max(1, view.scale));
  view.x = Math.min(0, Math.max(width * (1 - view.scale), view.x));
  view.y = Math.min(0, Math.max(height * (1 - view.scale), view.y));
  for (const pane of panes) pane.firstElementChild.style.transform = "translate(" + view.x + "px," + view.y + "px) scale(" + view.scale + ")";
}
function zoom(factor, x, y) {
  const pane = part("pane");
  const px = x ?? pane.clientWidth / 2;
  const py = y ?? pane.clientHeight / 2;
  const scale = Math.min(40, Math.max(1, view.scale * factor));
  view.x = px - (px - view.x) * (scale / view.scale);
  view.y = py - (py - view.y) * (scale / view.scale);
  view.scale = scale;
  place();
}
function show(tile) {
  current = tile;
  const sheet = tile.closest(".sheet");
  const picture = tile.querySelector("img");
  part("picture").src = picture.src;
  part("picture").alt = picture.alt;
  part("picture").style.imageRendering = sheet.dataset.smooth === undefined ? "" : "auto";
  part("title").textContent = sheet.dataset.title + (tile.dataset.channel === undefined ? "" : " · " + (sheet.dataset.noun ?? "channel") + " " + tile.dataset.channel + " (0 to " + (sheet.dataset.channels - 1) + ")");
  part("info").textContent = picture.alt;
  const seen = document.querySelector("[data-seen] img");
  const beside = sheet.dataset.beside !== undefined && seen;
  part("beside").hidden = !beside;
  if (beside) { part("seen").src = seen.src; part("seen").alt = seen.alt; }
  part("legend").hidden = tile.dataset.low === undefined;
  part("low").textContent = tile.dataset.low ?? "";
  part("high").textContent = tile.dataset.high ?? "";
  const tiles = tilesOf(sheet);
  part("previous").hidden = part("next").hidden = tiles.length < 2;
  select(tile, false);
}
function open(tile) {
  view = { scale: 1, x: 0, y: 0 };
  show(tile);
  box.showModal();
  place();
}
function step(by) {
  const tiles = tilesOf(current.closest(".sheet"));
  show(tiles[(tiles.indexOf(current) + by + tiles.length) % tiles.length]);
}
function turn(by) {
  const sheets = all(".sheet[data-beside]");
  const at = sheets.indexOf(current.closest(".sheet"));
  const to = sheets[at + by];
  if (at < 0 || !to) return;
  const tiles = tilesOf(to);
  show(tiles[Math.min(tiles.length - 1, tilesOf(current.closest(".sheet")).indexOf(current))]);
}
part("previous").addEventListener("click", () => step(-1));
part("next").addEventListener("click", () => step(1));
part("closer").addEventListener("click", () => zoom(1.5));
part("farther").addEventListener("click", () => zoom(1 / 1.5));
part("close").addEventListener("click", () => box.close());
box.addEventListener("close", () => current.focus());
box.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const move = event.shiftKey ? 60 : 0;
  const key = event.key;
  if (key === "ArrowLeft") move ? (view.x += move, place()) : step(-1);
  else if (key === "ArrowRight") move ? (view.x -= move, place()) : step(1);
  else if (key === "ArrowUp") move ? (view.y += move, place()) : turn(-1);
  else if (key === "ArrowDown") move ? (view.y -= move, place()) : turn(1);
  else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(1 / 1.5);
  else if (key === "0") { view = { scale: 1, x: 0, y: 0 }; place(); }
  else return;
  event.preventDefault();
});
const fingers = new Map();
for (const pane of panes) {
  const at = (event) => { const r = pane.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
  pane.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300), ...at(event)); }, { passive: false });
  pane.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
  pane.addEventListener("pointerdown", (event) => { pane.setPointerCapture(event.pointerId); fingers.set(event.pointerId, at(event)); });
  pane.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) zoom(Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    else { view.x += now[0] - before[0]; view.y += now[1] - before[1]; place(); }
    fingers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) pane.addEventListener(end, (event) => fingers.delete(event.pointerId));
}
addEventListener("resize", () => { if (box.open) place(); });

/* Heat maps: one method's at a time, as opaque as the slider says. */
for (const group of all("[data-overlays]")) {
  const slider = group.querySelector('input[type="range"]');
  const fade = () => {
    group.style.setProperty("--heat", slider.value / 100);
    group.querySelector("output").textContent = slider.value + " %";
  };
  const pick = () => {
    const chosen = group.querySelector("input:checked");
    for (const maps of all(".maps", group)) maps.hidden = chosen !== null && maps.dataset.method !== chosen.value;
  };
  slider.addEventListener("input", fade);
  group.addEventListener("change", pick);
  fade();
  pick();
}

/* The contents list marks the section in view. */
const links = new Map(all("nav.contents a").map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const section of all("main > section")) watcher.observe(section);
`;
