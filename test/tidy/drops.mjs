/**
 * Rule: a drop has one spelling, which is unique, snake_case, equal to its constant, explained by
 * a sentence, and listed in docs/drops.md.
 * @module
 */

const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/.source;
const DECLARATION = /^export const ([A-Z0-9_]+)(?:: number)? = drop\(/.source;

/** [{ constant, name, meaning }] out of the text of src/base/drops.ts. */
export function readDrops(text) {
  const pattern = new RegExp(`${DECLARATION}\\s*(${STRING}),\\s*(${STRING}),?\\s*\\);`, 'gm');
  return [...text.matchAll(pattern)].map(([, constant, name, meaning]) => ({
    constant,
    name: unquote(name),
    meaning: unquote(meaning),
  }));
}

function unquote(literal) {
  return literal.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

/** Violations, as sentences. `docs` is the text of docs/drops.md. */
export function checkDrops(text, docs) {
  const violations = [];
  const drops = readDrops(text);
  const declared = text.match(new RegExp(DECLARATION, 'gm'))?.length ?? 0;
  if (drops.length === 0 || drops.length !== declared) {
    violations.push(
      `src/base/drops.ts: ${declared} drops are declared, ${drops.length} can be read`,
    );
  }
  const seen = new Set();
  for (const { constant, name, meaning } of drops) {
    const at = `src/base/drops.ts: ${name}`;
    if (seen.has(name)) violations.push(`${at} is declared twice`);
    seen.add(name);
    if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)) violations.push(`${at} is not snake_case`);
    if (constant !== name.toUpperCase()) violations.push(`${at} is called ${constant}`);
    if (!/^[A-Z].*\.$/.test(meaning)) violations.push(`${at} has no sentence that explains it`);
    if (!docs.includes(`| \`${name}\` | ${meaning} |`)) {
      violations.push(`${at} is not in docs/drops.md: run \`node tools/gen-drops.mjs\``);
    }
  }
  return violations;
}
