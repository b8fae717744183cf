(() => {
  const least = %v;
  const parse = (text) => {
    const n = (text.match(/[\d.]+%%?/g) || []).map((p) => p.endsWith('%%') ? parseFloat(p) / 100 : parseFloat(p));
    const scale = text.startsWith('color(') ? 255 : 1;
    return { r: n[0] * scale, g: n[1] * scale, b: n[2] * scale, a: n.length > 3 ? n[3] : 1 };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1,
  });
  const light = (c) => {
    const [r, g, b] = [c.r, c.g, c.b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
  const backgroundOf = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), canvas);
  };
  const opacityOf = (element) => {
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) opacity *= parseFloat(getComputedStyle(e).opacity);
    return opacity;
  };
  let texts = 0;
  const faint = [];
  const judge = (text, element, style) => {
    texts++;
    const background = backgroundOf(element);
    const color = parse(style.color);
    color.a *= opacityOf(element);
    const contrast = ratio(over(color, background), background);
    if (!(contrast >= least)) {
      faint.push({ text: text.slice(0, 80), ratio: contrast || 0, color: style.color, background: JSON.stringify(background) });
    }
  };
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('svg, script, style, noscript, title') || !shown(element)) continue;
    judge(node.data.trim(), element, getComputedStyle(element));
  }
  for (const element of document.querySelectorAll('body *')) {
    if (!shown(element)) continue;
    for (const pseudo of ['::before', '::after']) {
      const style = getComputedStyle(element, pseudo);
      if (!['none', 'normal', '""'].includes(style.content)) judge(style.content, element, style);
    }
  }
  return { texts, faint };
})()
