/**
 * The style sheet of the report: system fonts, a quiet page, colours as variables so that light, dark and paper differ
 * in one place. Elements carry classes only: the page's policy forbids style attributes.
 */
export const style: string = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --raised: #ffffff; --ink: #1f1e1c; --soft: #5f5c55; --line: #dcd8cd; --faint: #f1eee6;
  --accent: #1c5f7c; --bar: #2c728e; --track: #e6e2d7; --warn: #7a4a00; --warn-paper: #fdf3de; --alert: #b8431f;
  --serif: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --raised: #1e2125; --ink: #e9e6df; --soft: #aca89e; --line: #363a40; --faint: #1f2226;
    --accent: #86c8de; --bar: #4fa9bd; --track: #31353b; --warn: #f0c987; --warn-paper: #2b2419; --alert: #e58a63;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: .15em; }
main:focus { outline: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; top: 0; padding: .6rem 1rem; background: var(--raised); z-index: 2; }
.skip:focus { left: 0; }
.page { max-width: 76rem; margin: 0 auto; padding: 0 1rem 4rem; }
header.top { padding: 2.5rem 0 1.5rem; max-width: 46rem; }
.eyebrow { margin: 0; color: var(--soft); font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; }
h1, h2, h3, .lede { font-family: var(--serif); font-weight: 600; line-height: 1.2; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.9rem, 1.3rem + 2.6vw, 3rem); margin: .3rem 0 1rem; letter-spacing: -.01em; }
h2 { font-size: 1.7rem; margin: 0 0 .8rem; }
h3 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
.lede { font-weight: 400; font-size: 1.3rem; line-height: 1.45; margin: 0 0 .6rem; }
.lede strong { font-weight: 600; }
p { max-width: 42rem; margin: 0 0 1rem; }
.soft { color: var(--soft); }
small, .small { font-size: .86rem; }
code, pre, .number, .formula { font-family: var(--mono); font-size: .92em; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
nav.contents { font-size: .95rem; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: .9rem 0; }
nav.contents h2 { font: 600 .85rem/1.6 var(--sans); letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin: 0 0 .3rem; }
nav.contents ol { margin: 0; padding: 0; list-style: none; }
nav.contents a { display: block; padding: .25rem 0; text-decoration: none; }
nav.contents a:hover { text-decoration: underline; }
main > section { padding-top: 2.6rem; }
@media (min-width: 68rem) {
  .columns { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 3.5rem; align-items: start; }
  nav.contents { position: sticky; top: 0; border: 0; padding: 2.9rem 0 0; }
  nav.contents a { border-left: 2px solid var(--line); padding: .3rem 0 .3rem .8rem; }
  nav.contents a[aria-current] { border-left-color: var(--accent); color: var(--ink); font-weight: 600; }
}

figure { margin: 0; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .5rem; max-width: 42rem; }
img { display: block; max-width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: 1.5rem; margin: 1.2rem 0 1.6rem; align-items: start; max-width: 46rem; }
ol.steps { padding-left: 1.4rem; max-width: 42rem; }
ol.steps li { margin: 0 0 .6rem; }
.formula { display: block; margin: .4rem 0; padding: .6rem .9rem; background: var(--faint); border-left: 3px solid var(--bar); overflow-x: auto; white-space: pre; }
.formula var { font-style: italic; }

.scroll { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line); border-radius: .4rem; background: var(--raised); }
.scroll.tall { max-height: 40rem; overflow-y: auto; }
table { overflow-wrap: break-word; border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; padding: .45rem .8rem; vertical-align: baseline; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .82rem; font-weight: 600; color: var(--soft); background: var(--faint); position: sticky; top: 0; white-space: nowrap; }
tbody th { font-weight: 600; }
.right { text-align: right; }
td.bar { width: 50%; min-width: 7rem; }
svg.bar { display: block; width: 100%; height: .8rem; background: var(--track); border-radius: .15rem; }
svg.bar rect { fill: var(--bar); }
tr.best th, tr.best td { font-weight: 700; }
.scroll:has(.twofold) { max-width: 42rem; }
.twofold th[rowspan] { vertical-align: top; }
.twofold tr.first:nth-last-child(2) th { border-bottom: 0; }
.twofold .first td { border-bottom: 0; padding-bottom: .1rem; }
.twofold .after td { padding-top: .1rem; }
.twofold .after svg.bar rect { fill: var(--alert); }
.plain th, .plain td { border: 0; padding: .3rem .7rem .3rem 0; vertical-align: middle; }

dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem 1.5rem; margin: 1rem 0 1.4rem; }
dl.facts dt { color: var(--soft); font-size: .86rem; }
dl.facts dd { margin: 0; font-size: 1.15rem; font-family: var(--serif); }
dl.made { display: grid; grid-template-columns: minmax(0, 1fr); margin: 1rem 0; }
dl.made dt { color: var(--soft); font-size: .86rem; margin-top: .7rem; }
dl.made dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--faint); padding: .7rem .9rem; overflow-x: auto; margin: .3rem 0; }
.note p { margin: 0; }
.note ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.note { font-size: .93rem; background: var(--warn-paper); color: var(--warn); padding: .6rem .9rem; border-radius: .3rem; max-width: 42rem; }
ul.notes { padding-left: 1.2rem; max-width: 42rem; overflow-wrap: anywhere; }

.layer { margin: 1.6rem 0 1.2rem; }
.layer h3 { margin: 0; overflow-wrap: anywhere; }
.layer .shape { color: var(--soft); font-size: .9rem; margin: .1rem 0 .5rem; max-width: none; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(3.2rem, 1fr)); gap: 3px; }
@media (min-width: 56rem) { .sheet { grid-template-columns: repeat(16, minmax(0, 1fr)); } }
.sheet.filters { grid-template-columns: repeat(auto-fill, minmax(4rem, 1fr)); gap: .7rem .6rem; }
.sheet.one { display: flex; }
.sheet.one .tile img { width: auto; max-height: 26rem; }
.seen .sheet.one .tile { flex: 0 1 20rem; }
.seen .sheet.one .tile img { width: 100%; image-rendering: pixelated; }
@media (min-width: 56rem) { .sheet.large { grid-template-columns: repeat(8, minmax(0, 1fr)); } }
.sheet.panels { grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr)); gap: 1rem; max-width: 42rem; margin: 1.2rem 0; align-items: start; }
@media (min-width: 40rem) { .sheet.panels { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
.panels .under { font: .9rem/1.4 var(--sans); }
.sheet.few { grid-template-columns: repeat(auto-fill, minmax(5rem, 8rem)); }
.tile { position: relative; display: block; appearance: none; border: 0; padding: 0; margin: 0; background: none; color: inherit; font: inherit; text-align: left; cursor: default; border-radius: 1px; }
.js .tile { cursor: zoom-in; }
.sheet .tile img { width: 100%; }
.tile img.pixels { image-rendering: pixelated; }
.tile.dead img, .tile.constant img { opacity: .35; }
.tile.dead::before { content: "dead"; }
.tile.constant::before { content: "constant"; }
.tile.dead::before, .tile.constant::before { position: absolute; inset: 0; display: grid; place-items: center; font: 600 .7rem/1 var(--sans); color: var(--ink); z-index: 1; }
.tile[data-channel]:hover::after, .tile[data-channel]:focus-visible::after { content: attr(data-channel); position: absolute; left: 0; top: 0; padding: .1rem .3rem; font: 700 .8rem/1.2 var(--mono); background: #111; color: #fff; border-radius: 0 0 .25rem 0; pointer-events: none; }
.tile:hover { outline: 2px solid var(--ink); outline-offset: 0; z-index: 1; }
.tilemain:focus { outline: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; z-index: 1; }
.under b { color: var(--ink); }
.under { display: block; overflow: hidden; font: .74rem/1.35 var(--mono); color: var(--soft); margin-top: .25rem; white-space: nowrap; }
.under.wrap { white-space: normal; }
.status { min-height: 1.5em; margin: .4rem 0 0; color: var(--soft); font-size: .86rem; max-width: none; }
.legend { display: flex; align-items: center; gap: .6rem; color: var(--soft); font-size: .86rem; margin: 0 0 1rem; max-width: none; flex-wrap: wrap; }
.ramp { display: inline-block; width: 9rem; height: .7rem; border-radius: .15rem; background: linear-gradient(90deg, #440154, #472d7b, #3b528b, #2c728e, #21918c, #28ae80, #5ec962, #addc30, #fde725); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
svg.store { position: absolute; }
.controls { display: flex; flex-wrap: wrap; gap: .6rem 1.6rem; align-items: center; margin: 1rem 0 1.2rem; font-size: .9rem; }
.controls fieldset { display: flex; flex-wrap: wrap; gap: .35rem; border: 0; margin: 0; padding: 0; min-width: 0; }
.controls legend { float: left; margin-right: .8rem; padding: 0; color: var(--soft); line-height: 2rem; }
.controls fieldset label { position: relative; }
.controls fieldset span { display: block; padding: 0 .8rem; line-height: 2rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--raised); cursor: pointer; }
.controls input[type="radio"] { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.controls input:checked + span { background: var(--accent); border-color: var(--accent); color: var(--paper); }
.controls input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px; }
.slider { display: flex; align-items: center; gap: .7rem; }
.slider > span { color: var(--soft); }
.slider input { width: 11rem; max-width: 40vw; accent-color: var(--accent); }
.slider output { font: .86rem/1 var(--mono); min-width: 3.2em; }
.maps h3 { margin-top: 1.2rem; }
.js .maps h3 { display: none; }
.maps[hidden] { display: none; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1.1rem; margin: 1rem 0; align-items: start; }
.figures.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 10.5rem), 1fr)); }
.figures.one { grid-template-columns: minmax(0, 36rem); }
.overlay svg { display: block; width: 100%; height: auto; border-radius: .2rem; background: var(--track); }
.overlay figcaption { margin-top: .35rem; line-height: 1.4; }
.overlay b { color: var(--ink); }
.heat { opacity: var(--heat, 1); }
.heat.fine { image-rendering: pixelated; }
.trouble { display: block; color: var(--warn); background: var(--warn-paper); padding: .3rem .5rem; border-radius: .2rem; margin-top: .3rem; }
img.colors { height: .7rem; width: 9rem; border-radius: .15rem; }
.js-only { display: none; }
.js .js-only { display: revert; }
.js .controls.js-only { display: flex; }

dialog.lightbox { width: 100%; height: 100%; max-width: none; max-height: none; margin: 0; padding: 0; border: 0; background: #111315; color: #f0eee9; }
dialog.lightbox[open] { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; }
dialog.lightbox::backdrop { background: #111315; }
.lightbox .strip { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; padding: .6rem .9rem; }
.lightbox h2 { font: 600 1.05rem/1.3 var(--sans); margin: 0; flex: 1 1 10rem; overflow-wrap: anywhere; }
.lightbox button { font: 600 .95rem/1 var(--sans); min-width: 2.6rem; min-height: 2.6rem; padding: 0 .7rem; color: #f0eee9; background: #2a2e33; border: 1px solid #4a5058; border-radius: .35rem; cursor: pointer; }
.lightbox button:hover { background: #3a4047; }
.lightbox :focus-visible { outline-color: #86c8de; }
.lightbox .stage { display: flex; gap: .8rem; padding: 0 .9rem; min-height: 0; }
.lightbox figure { flex: 1 1 0; min-width: 0; min-height: 0; display: grid; grid-template-rows: minmax(0, 1fr) auto; }
.lightbox .pane { overflow: hidden; touch-action: none; cursor: grab; min-height: 0; background: #000; }
.lightbox .pane img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; transform-origin: 0 0; user-select: none; -webkit-user-drag: none; }
.lightbox figcaption, .lightbox .legend, .lightbox .keys { color: #b9b5ab; }
.lightbox figcaption { margin: .3rem 0 0; font-size: .86rem; }
.lightbox .legend, .lightbox p { margin: 0; max-width: none; font-size: .9rem; }
.lightbox .keys { font-size: .82rem; }
.lightbox [hidden] { display: none; }
@media (max-width: 40rem) {
  td.bar { width: 34%; min-width: 4rem; }
  th, td { padding: .45rem .55rem; }
  .lightbox h2 { flex-basis: 100%; }
}
@media (min-width: 48rem) {
  dl.made { grid-template-columns: 11rem minmax(0, 1fr); row-gap: .5rem; }
  dl.made dt { margin: 0; padding-top: .15rem; }
}
@media (max-width: 40rem) { .lightbox .stage { flex-direction: column; } .lightbox .keys { display: none; } .lightbox .strip { padding: .4rem .6rem; } }

@page { margin: 14mm; }
@media print {
  :root { color-scheme: light; --paper: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #bbb; --faint: #f4f4f4; --accent: #000; --bar: #2c728e; --track: #ddd; --warn: #000; --warn-paper: #fff; --alert: #b8431f; }
  body { font-size: 10pt; }
  nav.contents, .skip, .js .js-only, .js .controls.js-only, .status { display: none; }
  .js .maps h3 { display: block; }
  .page { max-width: none; padding: 0; }
  .columns { display: block; }
  .scroll, .scroll.tall { overflow: visible; max-height: none; }
  thead th { position: static; }
  h2, h3 { break-after: avoid; }
  .layer h3, .layer .shape { break-after: avoid; }
  tr, .tile, figure { break-inside: avoid; }
  .overlay image, img.colors { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .sheet { grid-template-columns: repeat(16, minmax(0, 1fr)); }
  svg.bar, svg.bar rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
