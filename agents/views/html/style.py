"""Style: the page's CSS, for light and dark, wide and narrow screens. It loads no font and no picture."""

STYLE = """
:root{color-scheme:light dark;--bg:#fcfcfa;--card:#fff;--ink:#1c1f24;--dim:#5f6672;--line:#e3e4e0;--soft:#f3f3ef;
--go:#156c40;--go-soft:#e7f4ec;--stop:#a8281f;--stop-soft:#fbebe9;--wait:#835000;--wait-soft:#fcf2dc;
--bar:#4a6fa5;--bar-ink:#fff;--ask:#e4ebf5;--link:#2a5597;--word:#7a3e9d;--string:#0b6070;--number:#8a4600;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media(prefers-color-scheme:dark){:root{--bg:#131518;--card:#1a1d21;--ink:#e4e6ea;--dim:#98a0ac;--line:#2d3137;
--soft:#20242a;--go:#6fcf97;--go-soft:#15291e;--stop:#f2938b;--stop-soft:#331b1a;--wait:#e8b964;--wait-soft:#2e2513;
--bar:#5f8ac7;--bar-ink:#0e1114;--ask:#22304a;--link:#8db4ee;--word:#cfa6f2;--string:#86d3ce;--number:#e8b06a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 var(--sans);font-variant-numeric:tabular-nums}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:44px}
h1{font-size:27px;line-height:1.2;letter-spacing:-.015em;margin:0 0 8px;font-weight:650;overflow-wrap:anywhere}
h2{font-size:19px;letter-spacing:-.01em;margin:56px 0 4px;font-weight:650}
h3{font-size:13px;margin:22px 0 6px;font-weight:650}
p{margin:6px 0;max-width:78ch;overflow-wrap:anywhere}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
.dim{color:var(--dim)}
code,pre,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
code{overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:22px;padding-bottom:14px;border-bottom:1px solid var(--line)}
.pill{display:inline-block;padding:1px 10px;border-radius:999px;font-size:13px;font-weight:600;white-space:nowrap;
background:var(--soft);color:var(--dim)}
.pill.go{background:var(--go-soft);color:var(--go)}
.pill.stop{background:var(--stop-soft);color:var(--stop)}
.pill.wait{background:var(--wait-soft);color:var(--wait)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:1px;background:var(--line);
border:1px solid var(--line);border-radius:10px;overflow:hidden;margin:22px 0 0;padding:0}
.tiles div{background:var(--card);padding:14px 18px 12px}
.tiles dt{font-size:12.5px;color:var(--dim);line-height:1.35}
.tiles dd{margin:0;font-size:25px;font-weight:600;letter-spacing:-.02em;line-height:1.25}
.box{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card);margin:12px 0}
.box svg{display:block;width:100%;margin:10px 0}
.box svg.lanes{min-width:860px}
.box svg.dag{width:auto;max-width:100%;height:auto;margin:10px auto}
svg text{font:12px var(--sans);fill:var(--ink);font-variant-numeric:tabular-nums}
svg .tick{fill:var(--dim);text-anchor:middle;font-size:11px}
svg .grid,svg .rule{stroke:var(--line);stroke-width:1}
svg .rule{opacity:.7}
svg .lane{text-anchor:end}
svg .said{fill:var(--dim);font-size:11px}
svg .in{fill:var(--bar-ink);font-size:11px}
svg .wait{stroke:var(--dim);stroke-width:1;stroke-dasharray:1 3}
svg .open{fill:var(--wait-soft);opacity:.55}
svg .bar{fill:var(--bar)}
svg .bar.inquiry{fill:var(--ask);stroke:var(--bar);stroke-width:1}
svg .bar.failed{fill:var(--stop-soft);stroke:var(--stop);stroke-width:1}
svg .bar.open{fill:none;opacity:1;stroke:var(--dim);stroke-width:1;stroke-dasharray:3 2}
svg .inquiry+.in,svg .in.open{fill:var(--ink)}
svg .in.failed{fill:var(--stop)}
svg .mark{fill:var(--dim)}
svg .mark.opened{fill:var(--wait)}
svg .mark.settled,svg .mark.concluded{fill:var(--go)}
svg .edge{fill:none;stroke:var(--dim);stroke-width:1;opacity:.55}
svg .step,svg .ends{fill:var(--card);stroke:var(--dim);stroke-width:1}
svg .ends{fill:var(--soft)}
svg .barrier{fill:var(--wait-soft);stroke:var(--wait);stroke-width:1}
svg .head{text-anchor:middle;font-size:12px;font-weight:600}
svg .note{text-anchor:middle;font-size:10.5px;fill:var(--dim)}
.key{font-size:12.5px;color:var(--dim);margin:0 0 8px;display:flex;flex-wrap:wrap;gap:2px 18px}
.key i{display:inline-block;
width:20px;height:10px;border-radius:2px;margin-right:6px;background:var(--bar);vertical-align:-1px}
.key .inquiry{background:var(--ask);border:1px solid var(--bar)}
.key .failed{background:var(--stop-soft);border:1px solid var(--stop)}
.key .open{background:var(--wait-soft)}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;font-weight:600;color:var(--dim);font-size:12px;white-space:nowrap}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{padding-left:16px}
tr:last-child td{border-bottom:0}
.n{text-align:right;white-space:nowrap}
td{overflow-wrap:break-word}
.fit .box{width:fit-content;max-width:100%;max-height:455px;overflow-y:auto}
.tight{white-space:nowrap}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:14px 0}
dl.facts dt{color:var(--dim)}
dl.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
dd>dl.facts:first-child,dd>ul:first-child,li>dl.facts{margin-top:0}
details{border:1px solid var(--line);border-radius:10px;background:var(--card);margin:8px 0;content-visibility:auto;
contain-intrinsic-size:auto 44px}
summary{cursor:pointer;position:relative;padding:9px 16px 9px 36px;
display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"▸";color:var(--dim);font-size:12px;position:absolute;left:16px;top:12px}
details[open]>summary::before{content:"▾"}
summary:hover{background:var(--soft);border-radius:10px}
summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:6px}
summary .id{font-weight:650;min-width:46px}
summary .place{overflow-wrap:anywhere;min-width:0}
summary .end{margin-left:auto}
.body{padding:2px 16px 16px}
.scroll{overflow-x:auto}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:12px;margin:10px 0}
.side{border:1px solid var(--line);border-radius:8px;padding:10px 14px 12px;min-width:0;background:var(--bg)}
.side.stands{border-color:var(--go)}
.side h4{margin:0 0 4px;font-size:14px;font-weight:600;display:flex;gap:8px;align-items:baseline;flex-wrap:wrap}
.side .says{overflow-wrap:anywhere}
.item{margin-top:10px;padding-top:8px;border-top:1px solid var(--line)}
.item:first-of-type{border-top:0;padding-top:0;margin-top:6px}
.item p{margin:2px 0}
.value{font-size:17px;font-weight:600;margin:4px 0;overflow-wrap:anywhere}
pre{margin:8px 0;overflow-x:auto;line-height:1.5;tab-size:4;background:var(--soft);border-radius:6px;padding:8px 0}
pre>span{display:block;width:max-content;min-width:100%;padding:0 12px}
pre.plain{padding:8px 12px;white-space:pre-wrap;overflow-wrap:anywhere}
.minus{background:var(--stop-soft);color:var(--stop)}
.plus{background:var(--go-soft);color:var(--go)}
.hunk{color:var(--dim)}
.code .minus,.code .plus{color:var(--ink)}
.code .c{color:var(--dim);font-style:italic}
.code .s{color:var(--string)}
.code .m{color:var(--number)}
.code .k{color:var(--word)}
.code .f{color:var(--link)}
ul{margin:4px 0;padding-left:20px}
li{overflow-wrap:anywhere}li:has(>details){list-style:none;margin-left:-20px}
footer{color:var(--dim);font-size:12.5px;padding-top:56px;padding-bottom:56px}
@media(max-width:900px){.box svg.dag{max-width:none;margin:10px 0}}
@media(max-width:640px){main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:28px}h1{font-size:22px}
h2{margin-top:44px}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:8px}
.tiles{grid-template-columns:1fr 1fr}.tiles div:last-child:nth-child(odd){grid-column:1/-1}
.tiles dd{font-size:21px}.tiles div{padding:11px 14px}summary .end{margin-left:22px}
.scroll table{min-width:560px}.body{padding:2px 12px 12px}
.side{padding:8px 10px 10px}}
@media print{.fit .box{max-height:none}details{break-inside:avoid}nav{display:none}}
"""
