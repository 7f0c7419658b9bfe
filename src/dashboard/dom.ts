/**
 * Making elements, in few words. Text is always set as text: nothing here reads HTML.
 * @module
 */

type Child = Node | string;

/** An element of the page, which index.html has. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as Type;
}

/** `make('td', { class: 'number' }, '17')` */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** The same for a part of a drawing. */
export function draw(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Child[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.append(...children);
  return element;
}

/** Touches the page only when something changes: most of what is shown stays as it is. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Choices of which one is chosen; arrows go from one to the next. */
export function radioButtons(
  group: HTMLElement,
  names: readonly string[],
  onChoice: (index: number) => void,
): void {
  const buttons = names.map((name) => make('button', { type: 'button', role: 'radio' }, name));
  const choose = (chosen: number): void => {
    for (const [index, button] of buttons.entries()) {
      button.setAttribute('aria-checked', `${index === chosen}`);
      button.tabIndex = index === chosen ? 0 : -1;
    }
    onChoice(chosen);
  };
  for (const [index, button] of buttons.entries()) {
    button.addEventListener('click', () => choose(index));
    button.addEventListener('keydown', ({ key }) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
      if (step === undefined) return;
      const next = (index + step + buttons.length) % buttons.length;
      choose(next);
      buttons[next]!.focus();
    });
  }
  group.append(...buttons);
  choose(0);
}
