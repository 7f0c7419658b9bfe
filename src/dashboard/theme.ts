/**
 * Light and dark: what the machine prefers, until somebody chooses.
 * @module
 */
import { forgetColors } from './canvas.ts';
import { byId, setText } from './dom.ts';

type Theme = 'light' | 'dark';

const KEY = 'dpdk-net-theme';
const prefersLight = matchMedia('(prefers-color-scheme: light)');

/** `onChange`: everything that was drawn has to be drawn again. */
export function startTheme(onChange: () => void): { toggle(): void } {
  const button = byId('theme');
  const apply = (): void => {
    const chosen = localStorage.getItem(KEY) as Theme | null;
    const theme: Theme = chosen ?? (prefersLight.matches ? 'light' : 'dark');
    document.documentElement.dataset['theme'] = theme;
    setText(button.firstElementChild!, theme === 'light' ? 'Dark' : 'Light');
    forgetColors();
    onChange();
  };
  const toggle = (): void => {
    const isLight = document.documentElement.dataset['theme'] === 'light';
    localStorage.setItem(KEY, isLight ? 'dark' : 'light');
    apply();
  };
  button.addEventListener('click', toggle);
  prefersLight.addEventListener('change', apply);
  apply();
  return { toggle };
}
