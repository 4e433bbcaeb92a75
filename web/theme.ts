/** Light or dark: as the system says, until somebody chooses. */

export type Theme = "system" | "light" | "dark";

const stored = "memoir-theme";

export function currentTheme(): Theme {
  const value = read();
  return value === "light" || value === "dark" ? value : "system";
}

export function setTheme(theme: Theme): void {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  try {
    localStorage.setItem(stored, theme);
  } catch {
    // Browsers that keep nothing for a page: the choice lasts as long as the page.
  }
  dispatchEvent(new Event("memoir:theme"));
}

function read(): string | null {
  try {
    return localStorage.getItem(stored);
  } catch {
    return null;
  }
}

/** A colour of the style sheet, for canvases. */
export function colourOf(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
