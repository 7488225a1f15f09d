"""How the page looks: one style sheet and the small script that filters the item browser."""

STYLE = """
:root { color-scheme: light dark;
  --ink: #1f2328; --soft: #59636e; --paper: #fdfcfa; --card: #ffffff; --rule: #dcd8d0;
  --better: #1a7f37; --worse: #b3261e; --same: #59636e; --unsure: #8a5a00; --base: #6e7781; --tuned: #0b57d0;
  --band: #e8e4da; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e3dc; --soft: #a4a9b0; --paper: #16181b; --card: #1d2024; --rule: #363a40;
  --better: #56d364; --worse: #ff8f85; --same: #a4a9b0; --unsure: #e3b341; --base: #9aa4ae; --tuned: #82b1ff;
  --band: #2b2f35; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-serif, Georgia, "Times New Roman", serif; }
header, main, footer { max-width: 64rem; margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 2rem); }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .2rem 0 .6rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--rule); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { max-width: 46rem; }
.soft, caption, figcaption { color: var(--soft); font-size: .9rem; }
.verdict { font-weight: 700; white-space: nowrap; }
.better { color: var(--better); } .worse { color: var(--worse); }
.no-difference { color: var(--same); } .cannot-tell { color: var(--unsure); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { font-weight: 600; } td.n, th.n { text-align: right; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre, .answer { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: .7rem .9rem;
  font: .86rem/1.5 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: .2rem 0 .6rem; }
.answer { max-height: 16rem; overflow: auto; }
h4 { margin: .4rem 0 .1rem; font-weight: 400; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 12px ui-sans-serif, system-ui, sans-serif; } svg text.soft { fill: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 1.5rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 0 1rem; }
details { border-bottom: 1px solid var(--rule); } summary { cursor: pointer; padding: .45rem 0; }
details > div { padding: 0 0 .8rem 1rem; }
.filter { display: none; gap: .8rem; flex-wrap: wrap; margin: .6rem 0; } .js .filter { display: flex; }
.filter label { font-size: .9rem; } select, input { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--rule); border-radius: 4px; padding: .2rem .4rem; max-width: 100%; }
:focus-visible { outline: 2px solid var(--tuned); outline-offset: 2px; }
"""

SCRIPT = """
document.documentElement.classList.add('js');
const items = [...document.querySelectorAll('details.item')];
const metric = document.getElementById('metric'), kind = document.getElementById('kind');
const words = document.getElementById('words'), shown = document.getElementById('shown');
function filter() {
  const wanted = words.value.toLowerCase(); let count = 0;
  for (const item of items) {
    const outcome = JSON.parse(item.dataset.outcomes)[metric.value] || 'tie';
    const fits = (kind.value === 'all' || kind.value === outcome) && item.textContent.toLowerCase().includes(wanted);
    item.hidden = !fits; count += fits;
  }
  shown.textContent = count + ' of ' + items.length;
}
if (metric) { for (const control of [metric, kind, words]) control.addEventListener('input', filter); filter(); }
"""
