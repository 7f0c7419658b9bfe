/**
 * Serves server.js and visits it from the same process: for a stack that has nothing but its
 * loopback. Neither the server nor fetch() knows that the kernel is not asked.
 */
import './server.js';

const url = `http://127.0.0.1:${process.env.PORT ?? 8080}/`;
const response = await fetch(url);
const page = await response.text();
const heading = page.match(/<h1>(.*)<\/h1>/)?.[1];

console.log(`fetched ${url}: status ${response.status}, ${page.length} characters, "${heading}"`);
console.log(`ready ${url} (inside this process)`);
