// Pictures for the catalogue, drawn from the product itself: a record sleeve or a garment as SVG. The same product always
// gets the same picture, so the shop needs no image files.

const SLEEVES = [
  ['#2b1a3d', '#ff6b35', '#f7c548', '#fff4e0'], ['#0f4c5c', '#e36414', '#fb8b24', '#fef3dc'],
  ['#5f0f40', '#fb8b24', '#9a031e', '#ffe8c9'], ['#17877d', '#f2b134', '#ed553b', '#fdf6e3'],
  ['#25345e', '#ef8fb0', '#f7c548', '#fff1ea'], ['#3d2c2e', '#d1603d', '#ddb967', '#f4ebd9'],
  ['#1b4332', '#95d5b2', '#f4a261', '#fefae0'], ['#41295a', '#6aa9d8', '#f28482', '#f6efe6'],
];
const BACKDROPS = ['#fde7d3', '#e2f0ea', '#ece4f5', '#fdf0c8', '#e0ecf7', '#fbe3ea'];

/** A small generator of numbers in [0, 1), seeded by text. */
function seeded(text) {
  let state = 2166136261;
  for (const char of text) state = Math.imul(state ^ char.codePointAt(0), 16777619);
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822507);
    state = Math.imul(state ^ (state >>> 13), 3266489909) + 0x9e3779b9;
    return ((state >>> 0) % 100000) / 100000;
  };
}

const escape = (text) => text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]);
const times = (n, draw) => Array.from({ length: n }, (_, i) => draw(i)).join('');

const SLEEVE_MOTIFS = [
  function sun(random, [, a, b, c]) {
    const y = 210 + random() * 40;
    return `<circle cx="200" cy="${y}" r="120" fill="${a}"/>${times(6, (i) =>
      `<rect x="60" y="${y - 10 + i * 24}" width="280" height="${4 + i * 3}" fill="${i % 2 ? b : c}" opacity=".92"/>`)}`;
  },
  function rainbow(random, [, a, b, c]) {
    const x = random() < 0.5 ? 0 : 400;
    return times(7, (i) => `<circle cx="${x}" cy="330" r="${300 - i * 36}" fill="none" stroke="${[a, b, c][i % 3]}" stroke-width="22"/>`);
  },
  function waves(random, [, a, b, c]) {
    return times(7, (i) => {
      const y = 90 + i * 36, h = 16 + random() * 26;
      return `<path d="M-20 ${y} q 70 ${-h} 140 0 t 140 0 t 140 0 V420 H-20Z" fill="${[a, b, c][i % 3]}"/>`;
    });
  },
  function tiles(random, [, a, b, c]) {
    return times(25, (i) => {
      const x = 40 + (i % 5) * 64, y = 30 + Math.floor(i / 5) * 60, fill = [a, b, c][Math.floor(random() * 3)];
      const turn = Math.floor(random() * 4) * 90;
      return `<path transform="rotate(${turn} ${x + 28} ${y + 28})" d="M${x} ${y} h56 a56 56 0 0 1 -56 56Z" fill="${fill}"/>`;
    });
  },
  function rays(random, [, a, b, c]) {
    const n = 18, offset = random() * 20;
    return `${times(n, (i) => {
      const at = (deg) => `${200 + 320 * Math.cos((deg * Math.PI) / 180)} ${180 + 320 * Math.sin((deg * Math.PI) / 180)}`;
      const from = offset + (i * 360) / n;
      return `<path d="M200 180 L${at(from)} L${at(from + 10)}Z" fill="${i % 2 ? a : b}"/>`;
    })}<circle cx="200" cy="180" r="58" fill="${c}"/><circle cx="200" cy="180" r="12" fill="${a}"/>`;
  },
];

function sleeve(product) {
  const random = seeded(product.id);
  const palette = SLEEVES[Math.floor(random() * SLEEVES.length)];
  const motif = SLEEVE_MOTIFS[Math.floor(random() * SLEEVE_MOTIFS.length)];
  return `<rect width="400" height="400" fill="${palette[0]}"/>${motif(random, palette)}
<rect y="322" width="400" height="78" fill="${palette[0]}"/>
<text x="22" y="354" font-family="Georgia, serif" font-size="${product.name.length > 20 ? 21 : 25}" font-weight="700" fill="${palette[3]}">${escape(product.name)}</text>
<text x="22" y="380" font-family="Helvetica, Arial, sans-serif" font-size="15" letter-spacing="1.5" fill="${palette[3]}" opacity=".75">${escape(product.artist.toUpperCase())}</text>`;
}

// Outlines on a 400 x 400 field, each one closed path.
const GARMENTS = {
  'T-shirts': 'M140 90 L95 108 L50 180 L98 208 L116 184 V325 H284 V184 L302 208 L350 180 L305 108 L260 90 Q200 132 140 90Z',
  Shirts: 'M148 84 L98 104 L52 206 L96 224 L116 190 V330 H284 V190 L304 224 L348 206 L302 104 L252 84 L200 118Z',
  Hoodies: 'M146 96 Q150 52 200 52 Q250 52 254 96 L300 110 L346 250 L302 264 L284 206 V332 H116 V206 L98 264 L54 250 L100 110Z',
  Pyjamas: 'M148 80 L104 96 L60 196 L100 212 L122 172 V330 H194 V250 H206 V330 H278 V172 L300 212 L340 196 L296 96 L252 80 Q200 112 148 80Z',
  Dungarees: 'M132 70 H158 V138 H242 V70 H268 V190 L284 335 H216 L200 236 L184 335 H116 L132 190Z',
  Dresses: 'M152 76 L120 96 L108 150 L142 160 L146 190 L98 330 Q200 356 302 330 L254 190 L258 160 L292 150 L280 96 L248 76 Q200 122 152 76Z',
  Bodysuits: 'M146 92 L100 112 L72 172 L112 192 L124 172 V262 L176 326 H224 L276 262 V172 L288 192 L328 172 L300 112 L254 92 Q200 130 146 92Z',
  Jackets: 'M150 80 L98 102 L50 268 L98 284 L114 220 V326 H286 V220 L302 284 L350 268 L302 102 L250 80 L200 104Z',
  Trousers: 'M132 76 H268 L290 335 H222 L200 168 L178 335 H110Z',
  Socks: 'M128 80 H192 V222 L250 262 Q288 292 262 322 Q240 342 206 322 L140 276 Q128 266 128 250Z',
  Hats: 'M88 246 Q92 112 200 108 Q308 112 312 246 Q200 220 88 246Z M88 246 Q200 214 312 246 Q360 262 366 288 Q200 244 66 288 Q70 262 88 246Z',
  Bags: 'M96 150 H304 L318 336 H82Z M146 150 Q146 72 200 72 Q254 72 254 150 H236 Q236 92 200 92 Q164 92 164 150Z',
};

const star = (x, y, r) => `<path d="M${x} ${y - r} L${x + r * 0.3} ${y - r * 0.3} L${x + r} ${y} L${x + r * 0.3} ${y + r * 0.3} L${x} ${y + r} L${x - r * 0.3} ${y + r * 0.3} L${x - r} ${y} L${x - r * 0.3} ${y - r * 0.3}Z"/>`;

const PRINTS = {
  plain: () => '<path d="M200 120 V340" stroke="#000" stroke-opacity=".12" stroke-width="3"/>',
  stripes: (ink) => `<g fill="${ink}" opacity=".85">${times(9, (i) => `<rect y="${90 + i * 28}" width="400" height="11"/>`)}</g>`,
  dots: (ink) => `<g fill="${ink}" opacity=".85">${times(90, (i) => `<circle cx="${50 + (i % 10) * 33 + (Math.floor(i / 10) % 2) * 16}" cy="${80 + Math.floor(i / 10) * 30}" r="7"/>`)}</g>`,
  stars: (ink) => `<g fill="${ink}" opacity=".9">${times(40, (i) => star(60 + (i % 8) * 42 + (Math.floor(i / 8) % 2) * 20, 84 + Math.floor(i / 8) * 54, 8 + (i % 3) * 3))}</g>`,
  disc: (ink) => `<g transform="translate(200 212)"><circle r="56" fill="#1d1a22"/><circle r="44" fill="none" stroke="#fff" stroke-opacity=".18" stroke-width="2"/><circle r="34" fill="none" stroke="#fff" stroke-opacity=".18" stroke-width="2"/><circle r="20" fill="${ink}"/><circle r="4" fill="#fff"/></g>`,
  dino: (ink) => `<path fill="${ink}" d="M136 268 Q136 218 180 212 Q196 160 232 156 Q264 156 266 182 L238 190 Q226 224 232 268 H212 L206 240 H182 L176 268 H158 L154 246Z"/><circle cx="246" cy="172" r="4" fill="#fff"/>`,
  patch: (ink) => `<g fill="${ink}" opacity=".8"><rect x="132" y="180" width="52" height="52" transform="rotate(-6 158 206)"/><rect x="222" y="228" width="48" height="48" transform="rotate(8 246 252)"/></g>`,
  notes: (ink) => `<g fill="${ink}">${times(12, (i) => { const x = 96 + (i % 4) * 62, y = 120 + Math.floor(i / 4) * 76 + (i % 2) * 20; return `<ellipse cx="${x}" cy="${y}" rx="9" ry="7"/><rect x="${x + 6}" y="${y - 32}" width="4" height="32"/><path d="M${x + 6} ${y - 32} q 16 4 14 18 q -4 -8 -14 -8Z"/>`; })}</g>`,
  cloud: (ink) => `<path fill="${ink}" d="M150 232 q -26 -2 -24 -24 q 2 -20 24 -20 q 8 -30 42 -28 q 28 2 32 28 q 30 -2 32 24 q 0 20 -24 20Z"/>`,
  paisley: (ink) => `<g fill="none" stroke="${ink}" stroke-width="6" opacity=".9">${times(20, (i) => `<path transform="translate(${70 + (i % 5) * 62} ${96 + Math.floor(i / 5) * 62}) rotate(${(i % 4) * 40})" d="M0 18 q -18 -6 -12 -24 q 8 -18 26 -12 q -10 6 -6 16 q 6 16 -8 20Z"/>`)}</g>`,
};

function garment(product) {
  const random = seeded(product.id);
  const cloth = product.colours[0].hex;
  const ink = product.colours[1]?.hex ?? '#fff4e0';
  const outline = GARMENTS[product.kind] ?? GARMENTS['T-shirts'];
  return `<defs><clipPath id="cut"><path d="${outline}"/></clipPath></defs>
<rect width="400" height="400" fill="${BACKDROPS[Math.floor(random() * BACKDROPS.length)]}"/>
<ellipse cx="200" cy="352" rx="120" ry="12" fill="#2b1a3d" opacity=".10"/>
<path d="${outline}" fill="${cloth}"/><g clip-path="url(#cut)">${PRINTS[product.print](ink)}</g>
<path d="${outline}" fill="none" stroke="#2b1a3d" stroke-opacity=".35" stroke-width="3" stroke-linejoin="round"/>`;
}

export function drawProduct(product) {
  const body = product.category === 'records' ? sleeve(product) : garment(product);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">${body}</svg>`;
}
