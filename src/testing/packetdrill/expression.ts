/**
 * What stands in %{ }%: a small part of Python, enough for assertions on connection information.
 *
 * Statements `assert e`, `assert e, message`, `print(e, ...)`, `name = e` and `name += e`, by line or `;`.
 * Expressions: or, and, not, chained comparisons, | ^ & << >>, + - * / // % **, parentheses,
 * numbers, texts, True, False, None, abs, min, max, int, round, len, and the names given.
 * @module
 */

export type Scalar = number | string | boolean | null;
export type Names = Map<string, Scalar>;

/** An assertion that does not hold; the message has the values. */
export class AssertionFailed extends Error {
  override readonly name: string = 'AssertionFailed';
}

const TOKEN =
  /\s*(?:(\d+\.\d*|\.\d+|0x[\da-fA-F]+|\d+)|([A-Za-z_]\w*)|"([^"]*)"|'([^']*)'|(\/\/=|[-+*/%]=|\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%()<>=|&^~,]))/y;

interface Piece {
  readonly kind: 'number' | 'name' | 'text' | 'sign' | 'end';
  readonly text: string;
}

/**
 * Runs the statements. Names that are assigned to are added. Returns what was printed.
 * Throws AssertionFailed; an Error for what is not in the language or not a known name.
 */
export function execute(code: string, names: Names): string[] {
  const printed: string[] = [];
  for (const statement of statementsOf(code)) {
    const reader = new Reader(statement, names);
    if (reader.skip('assert')) assertHolds(reader, statement, names);
    else if (reader.at('print')) printed.push(printedText(reader));
    else if (reader.isAssignment) assign(reader, names);
    else reader.expression();
    reader.end();
  }
  return printed;
}

function statementsOf(code: string): string[] {
  const joined = code.replace(/#.*$/gm, '').replace(/\\\n/g, ' ');
  const statements: string[] = [];
  let open = 0;
  let text = '';
  for (const char of joined) {
    if (char === '(') open++;
    if (char === ')') open--;
    if ((char === '\n' || char === ';') && open <= 0) {
      statements.push(text);
      text = '';
    } else text += char;
  }
  statements.push(text);
  return statements.map((line) => line.trim()).filter((line) => line !== '' && line !== 'pass');
}

function assertHolds(reader: Reader, statement: string, names: Names): void {
  const holds = truth(reader.expression());
  const message = reader.skip(',') ? reader.expression() : null;
  if (holds) return;
  const used = new Set(statement.match(/[A-Za-z_]\w*/g) ?? []);
  const values = [...used].filter((name) => names.has(name) && /^tcpi_/.test(name));
  const shown = values.map((name) => `${name} is ${names.get(name)}`).join(', ');
  const why = message === null ? '' : `: ${message}`;
  throw new AssertionFailed(`${statement}${why}${shown === '' ? '' : ` (${shown})`}`);
}

function printedText(reader: Reader): string {
  reader.skip('print');
  const parts: Scalar[] = [];
  if (reader.skip('(')) parts.push(...reader.arguments());
  else
    do parts.push(reader.expression());
    while (reader.skip(','));
  return parts.map(String).join(' ');
}

function assign(reader: Reader, names: Names): void {
  const name = reader.take().text;
  const sign = reader.take().text;
  const value = reader.expression();
  if (sign === '=') {
    names.set(name, value);
    return;
  }
  const before = names.get(name);
  if (before === undefined) throw new Error(`there is no '${name}' here`);
  names.set(name, OPERATORS[sign.slice(0, -1)]!(before, value));
}

const CONSTANTS: Readonly<Record<string, Scalar>> = { True: true, False: false, None: null };

const FUNCTIONS: Readonly<Record<string, (values: Scalar[]) => Scalar>> = {
  abs: ([value = 0]) => Math.abs(Number(value)),
  min: (values) => Math.min(...values.map(Number)),
  max: (values) => Math.max(...values.map(Number)),
  int: ([value = 0]) => Math.trunc(Number(value)),
  float: ([value = 0]) => Number(value),
  round: ([value = 0]) => Math.round(Number(value)),
  len: ([value = '']) => String(value).length,
  str: ([value = '']) => String(value),
};

const OPERATORS: Readonly<Record<string, (a: Scalar, b: Scalar) => Scalar>> = {
  '|': (a, b) => Number(BigInt(Number(a)) | BigInt(Number(b))),
  '^': (a, b) => Number(BigInt(Number(a)) ^ BigInt(Number(b))),
  '&': (a, b) => Number(BigInt(Number(a)) & BigInt(Number(b))),
  '<<': (a, b) => Number(a) * 2 ** Number(b),
  '>>': (a, b) => Math.floor(Number(a) / 2 ** Number(b)),
  '+': (a, b) => (typeof a === 'string' ? a + String(b) : Number(a) + Number(b)),
  '-': (a, b) => Number(a) - Number(b),
  '*': (a, b) => Number(a) * Number(b),
  '/': (a, b) => Number(a) / Number(b),
  '//': (a, b) => Math.floor(Number(a) / Number(b)),
  '%': (a, b) => Number(a) - Math.floor(Number(a) / Number(b)) * Number(b),
};

const COMPARISONS: Readonly<Record<string, (a: Scalar, b: Scalar) => boolean>> = {
  '==': (a, b) => comparable(a) === comparable(b),
  '!=': (a, b) => comparable(a) !== comparable(b),
  '<': (a, b) => comparable(a)! < comparable(b)!,
  '<=': (a, b) => comparable(a)! <= comparable(b)!,
  '>': (a, b) => comparable(a)! > comparable(b)!,
  '>=': (a, b) => comparable(a)! >= comparable(b)!,
};

const ASSIGNMENT = /^(\/\/|[-+*/%])?=$/;

/** Loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%'],
];

class Reader {
  readonly #pieces: Piece[] = [];
  readonly #names: Names;
  readonly #text: string;
  #next = 0;

  constructor(text: string, names: Names) {
    this.#text = text;
    this.#names = names;
    let at = 0;
    while (text.slice(at).trim() !== '') {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) throw new Error(`cannot read '${text.slice(at).trim()}'`);
      at = TOKEN.lastIndex;
      const [, number, name, double, single, sign] = match;
      if (number !== undefined) this.#pieces.push({ kind: 'number', text: number });
      else if (name !== undefined) this.#pieces.push({ kind: 'name', text: name });
      else if (sign !== undefined) this.#pieces.push({ kind: 'sign', text: sign });
      else this.#pieces.push({ kind: 'text', text: double ?? single ?? '' });
    }
  }

  #peek(ahead = 0): Piece {
    return this.#pieces[this.#next + ahead] ?? { kind: 'end', text: '' };
  }

  take(): Piece {
    const piece = this.#peek();
    this.#next++;
    return piece;
  }

  at(text: string): boolean {
    const piece = this.#peek();
    return piece.kind !== 'text' && piece.text === text;
  }

  skip(text: string): boolean {
    if (!this.at(text)) return false;
    this.#next++;
    return true;
  }

  end(): void {
    if (this.#peek().kind !== 'end') this.#fail(`'${this.#peek().text}'`);
  }

  get isAssignment(): boolean {
    const sign = this.#peek(1);
    return this.#peek().kind === 'name' && sign.kind === 'sign' && ASSIGNMENT.test(sign.text);
  }

  expression(): Scalar {
    let left = this.#and();
    while (this.skip('or')) {
      const right = this.#and();
      left = truth(left) ? left : right;
    }
    return left;
  }

  #and(): Scalar {
    let left = this.#not();
    while (this.skip('and')) {
      const right = this.#not();
      left = truth(left) ? right : left;
    }
    return left;
  }

  #not(): Scalar {
    return this.skip('not') ? !truth(this.#not()) : this.#comparison();
  }

  #comparison(): Scalar {
    let left = this.#level(0);
    let result: Scalar = left;
    let compared = false;
    while (this.#peek().kind === 'sign' && this.#peek().text in COMPARISONS) {
      const compare = COMPARISONS[this.take().text]!;
      const right = this.#level(0);
      result = (compared ? truth(result) : true) && compare(left, right);
      left = right;
      compared = true;
    }
    return result;
  }

  #level(level: number): Scalar {
    const signs = LEVELS[level];
    if (signs === undefined) return this.#unary();
    let left = this.#level(level + 1);
    while (this.#peek().kind === 'sign' && signs.includes(this.#peek().text)) {
      const operate = OPERATORS[this.take().text]!;
      left = operate(left, this.#level(level + 1));
    }
    return left;
  }

  #unary(): Scalar {
    if (this.skip('-')) return -Number(this.#unary());
    if (this.skip('+')) return Number(this.#unary());
    const base = this.#primary();
    return this.skip('**') ? Number(base) ** Number(this.#unary()) : base;
  }

  #primary(): Scalar {
    const { kind, text } = this.take();
    if (kind === 'number') return Number(text);
    if (kind === 'text') return text;
    if (kind === 'sign' && text === '(') {
      const value = this.expression();
      if (!this.skip(')')) this.#fail("no ')'");
      return value;
    }
    if (kind !== 'name') this.#fail(kind === 'end' ? 'the end' : `'${text}'`);
    if (text in CONSTANTS) return CONSTANTS[text]!;
    if (text in FUNCTIONS && this.skip('(')) return FUNCTIONS[text]!(this.arguments());
    const value = this.#names.get(text);
    if (value === undefined) throw new Error(`there is no '${text}' here`);
    return value;
  }

  /** What follows the '(' that was taken. */
  arguments(): Scalar[] {
    const values: Scalar[] = [];
    while (!this.skip(')')) {
      values.push(this.expression());
      if (!this.at(')') && !this.skip(',')) this.#fail("no ')'");
    }
    return values;
  }

  #fail(found: string): never {
    throw new Error(`${found} is not expected in '${this.#text}'`);
  }
}

function truth(value: Scalar): boolean {
  return value !== 0 && value !== '' && value !== false && value !== null;
}

/** Python takes True for 1. */
function comparable(value: Scalar): number | string | null {
  return typeof value === 'boolean' ? Number(value) : value;
}
