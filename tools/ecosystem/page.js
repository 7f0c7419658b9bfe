// fetch() of a page over TLS from SERVER, small and large, many at once.
const base = `https://${process.env.SERVER}`;
const small = await Promise.all(
  Array.from({ length: 50 }, async () => (await fetch(`${base}/index.html`)).text()),
);
console.log(`pages ${small.filter((text) => text === 'hello from nginx\n').length}`);
const large = await (await fetch(`${base}/large`)).arrayBuffer();
console.log(`bytes ${large.byteLength}`);
