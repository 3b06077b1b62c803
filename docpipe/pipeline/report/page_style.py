"""How the page of a run looks: light or dark as the reader has it, and on paper."""

STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--quiet:#60646c;--paper:#fcfcfd;--line:#d9d9e0;--tint:#f0f0f3;
--good:#18794e;--bad:#c62a2f;--warn:#946800;--plot:#0b68cb}
@media(prefers-color-scheme:dark){:root{--ink:#edeef0;--quiet:#b0b4ba;--paper:#111113;--line:#363a3f;--tint:#1d2024;
--good:#4cc38a;--bad:#ff8b8e;--warn:#f1a10d;--plot:#70b8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.3rem 0}
.quiet,small,figcaption{color:var(--quiet)}
.badge{font-size:.9rem;font-weight:600;padding:.1rem .6rem;border-radius:1rem;border:1.5px solid;vertical-align:middle}
.badge.ok,.good{color:var(--good)}.badge.failed,.bad{color:var(--bad)}.badge.stopped{color:var(--warn)}
.wrong{border-left:4px solid var(--bad);background:var(--tint);padding:.6rem .9rem;margin:.8rem 0}
.wrong,ul{overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(132px,1fr));gap:.6rem;margin-top:1.2rem}
.tiles div{background:var(--tint);border-radius:.5rem;padding:.55rem .8rem;font-size:.85rem}
.tiles b{display:block;font-size:1.2rem;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.4rem 0;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line)}
th{color:var(--quiet);font-weight:500;white-space:nowrap}td{overflow-wrap:anywhere;min-width:3rem}
.figures td,.figures th{text-align:right;font-variant-numeric:tabular-nums}.figures th:first-child{text-align:left}
.bars{width:100%;max-width:640px}.bars td:last-child{text-align:right;white-space:nowrap}.bars .bar{width:70%}
.bar i{display:block;height:.8rem;margin-top:.35rem;min-width:2px;background:var(--plot);border-radius:2px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:1rem}
figure{margin:0;background:var(--tint);border-radius:.5rem;padding:.7rem .9rem}
figcaption b{float:right;color:var(--ink);font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto;margin:.3rem 0}
polyline{fill:none;stroke:var(--plot);stroke-width:1.5;stroke-linejoin:round}
circle{fill:var(--plot)}circle.bad{fill:var(--bad)}.base{stroke:var(--line)}
ul{margin:.3rem 0;padding-left:1.2rem}
@media print{body{font-size:12px}main{max-width:none;padding:0}section{break-inside:avoid}.wide{overflow:visible}
.tiles div,figure,.wrong{border:1px solid var(--line)}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
