"""The HTML page of a report: one template without scripts and without references to other files."""

from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root {
  --paper: #fbfaf7; --card: #fff; --ink: #1c1b19; --soft: #66625b; --line: #e4e0d8; --made: #2f6f62; --real: #c08a2d;
  --shade: #f3f0ea; --warn: #9a3412;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161513; --card: #1f1e1b; --ink: #edeae4; --soft: #a5a097; --line: #35322d; --made: #6cbfac;
    --real: #e0b25f; --shade: #282622; --warn: #f0a37a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.8rem 0 .3rem; }
p { margin: .3rem 0 .9rem; max-width: 44rem; }
.soft, small { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.6rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .85rem 1rem; }
.tile b { display: block; font-size: 1.6rem; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { display: block; font-size: .85rem; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .5rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; font-weight: 500; color: var(--soft); font-size: .82rem; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:last-child, th:last-child { padding-right: 0; }
tfoot td { font-weight: 600; border-bottom: 0; }
td.words { text-align: left; min-width: 14rem; }
td { white-space: nowrap; }
td.words, td:first-child { white-space: normal; }
td small { display: block; font-weight: 400; }
td.words small { white-space: normal; }
.bar { display: block; position: relative; height: .4rem; margin-top: .45rem; border-radius: .2rem; }
.bar { background: var(--shade); }
.bar i, .bar u { position: absolute; top: 0; bottom: 0; left: 0; border-radius: .2rem; background: var(--made); }
.bar u { top: -.15rem; bottom: -.15rem; width: .2rem; margin-left: -.1rem; background: var(--real); }
.key { font-size: .85rem; color: var(--soft); }
.key i, .key u {
  display: inline-block; width: 1.1rem; height: .4rem; border-radius: .2rem; background: var(--made);
  margin: 0 .3rem .1rem 0;
}
.key u { width: .2rem; height: .8rem; background: var(--real); margin: 0 .3rem -.1rem .9rem; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .9rem; }
.pairs { margin: .9rem 0 1.4rem; }
figure { margin: 0; break-inside: avoid; }
figure div { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; border-radius: .5rem; overflow: hidden; }
figure img { display: block; width: 100%; aspect-ratio: 1; }
figcaption { font-size: .8rem; color: var(--soft); margin-top: .3rem; overflow-wrap: anywhere; line-height: 1.35; }
figcaption b { color: var(--ink); font-weight: 600; }
figcaption b.copy { color: var(--warn); }
h3 { font-size: 1rem; margin: 1.4rem 0 0; font-weight: 600; }
ul { padding-left: 1.1rem; max-width: 46rem; }
li { margin: .25rem 0; overflow-wrap: anywhere; }
.notes { background: var(--shade); border-radius: .6rem; padding: .7rem 1rem .7rem 2rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
footer { font-size: .85rem; color: var(--soft); }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile b { font-size: 1.4rem; }
  .pairs { grid-template-columns: 1fr 1fr; }
  .figures thead { display: none; }
  .figures tr { display: grid; grid-template-columns: 1.3fr 1fr 1fr; column-gap: .8rem; }
  .figures tr { border-bottom: 1px solid var(--line); padding: .55rem 0; }
  .figures td { border: 0; padding: .1rem 0; }
  .figures td.words { grid-column: 1 / -1; grid-row: 1; }
  .figures td.words + td { text-align: left; }
  .figures td::before { content: attr(data-head); display: block; font-size: .75rem; color: var(--soft); }
}
@page { margin: 14mm; }
@media print {
  :root {
    font-size: 11px; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --shade: #eee;
    --made: #2f6f62; --real: #c08a2d;
  }
  body { font-size: 1rem; }
  main { max-width: none; padding: 0; }
  h2, h3, .key { break-after: avoid; }
  tr, .tile { break-inside: avoid; }
  tfoot { display: table-row-group; }
  .wide { overflow: visible; }
  th, td { padding: .35rem .4rem; }
  .tiles { grid-template-columns: repeat(6, 1fr); }
  .pairs { grid-template-columns: repeat(4, 1fr); }
  .bar, .bar i, .bar u, .key i, .key u { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="soft">$subtitle</p>
<p>$summary</p>
<div class="tiles">$tiles</div>
$notes
<h2>All figures</h2>
<p class="key"><i></i>this dataset<u></u>real images</p>
<table class="figures">
<thead><tr><th>Figure</th><th>This dataset</th><th>95 % interval</th><th>Real images</th></tr></thead>
<tbody>$figures</tbody>
</table>
$classes
<h2>Nearest real images</h2>
<p>Each pair shows an image of this dataset on the left, and the training image that is nearest to it on the right.
The number compares their distance with that of a typical real image to its nearest training image, which is 1.</p>
<h3>The nearest pairs of all</h3>
<div class="pairs">$nearest</div>
<h3>Random images</h3>
<div class="pairs">$random</div>
<h2>Similar images</h2>
<div class="wide"><table>
<thead><tr><th></th><th>This dataset</th><th>Real images</th></tr></thead>
<tbody>$similar</tbody>
</table></div>
<h2>Saturation</h2>
<p>Share of images that are nearer to another image than 1 % of real images are. If it grows with the number of images,
more images repeat what is there.</p>
<div class="wide"><table>
<thead><tr><th>First images</th><th>This dataset</th><th>Real images</th></tr></thead>
<tbody>$saturation</tbody>
</table></div>
<footer><ul>$conditions</ul></footer>
</main>
</body>
</html>
""")
