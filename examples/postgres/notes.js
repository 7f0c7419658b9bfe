/**
 * A PostgreSQL client with a pool of connections. DATABASE is where the server is.
 *
 *     DATABASE=postgres://user:password@10.77.0.1/notes dpdk-net run postgres/notes.js
 */
import { Pool } from 'pg';

const pool = new Pool({ connectionString: process.env.DATABASE, max: 5 });

const answers = await Promise.all(
  Array.from({ length: 100 }, (_, number) => pool.query('select $1::int * 2 as twice', [number])),
);
console.log(`sum ${answers.reduce((sum, { rows }) => sum + rows[0].twice, 0)}`);

const client = await pool.connect();
await client.query('create temp table notes (id serial, text text)');
await client.query('begin');
for (const text of ['first', 'second', 'third']) {
  await client.query('insert into notes (text) values ($1)', [text]);
}
await client.query('commit');
const { rows } = await client.query('select text from notes order by id');
console.log(`notes ${rows.map(({ text }) => text).join(' ')}`);
const { rows: series } = await client.query('select i from generate_series(1, 20000) as i');
console.log(`rows ${series.length}`);
client.release();

await pool.end();
