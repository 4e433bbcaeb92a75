/** The page: starts here. */
import { render } from "preact";
import { App } from "./app.tsx";
import { followLinks } from "./location.ts";
import { currentTheme, setTheme } from "./theme.ts";
import "uplot/dist/uPlot.min.css";
import "./style.css";

const root = document.getElementById("page");
if (root !== null) {
  setTheme(currentTheme());
  followLinks();
  render(<App />, root);
}
