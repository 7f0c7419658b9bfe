/**
 * A canvas as sharp as the screen, and the colours of the theme.
 * @module
 */

export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

interface Size {
  width: number;
  height: number;
}

const sizes = new WeakMap<Element, Size>();
// Asking an element for its size makes the browser lay out the page; being told does not.
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    sizes.set(target, { width: contentRect.width, height: contentRect.height });
  }
});

/** Empty, and ready to be drawn on; null while it is not shown. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface | null {
  let size = sizes.get(canvas);
  if (size === undefined) {
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    sizes.set(canvas, size);
    observer.observe(canvas);
  }
  const { width, height } = size;
  const context = canvas.getContext('2d');
  if (context === null || width < 2 || height < 2) return null;
  const scale = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const QUEUE_COLORS = 8;
let known: Map<string, string> = new Map();

/** The theme has changed. */
export function forgetColors(): void {
  known = new Map();
}

/** The value of a variable of the style sheet, such as '--quiet'. */
export function color(name: string): string {
  let value = known.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    known.set(name, value);
  }
  return value;
}

/** Which of the colours a queue has. */
export const colorIndex = (queue: number): number => queue % QUEUE_COLORS;

export const queueColor = (queue: number): string => color(`--q${colorIndex(queue)}`);
