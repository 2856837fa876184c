/** The operator's console: starts the application. */
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { App } from "./app.tsx";
import { followLinks } from "./location.ts";

followLinks();
const root = document.getElementById("app");
if (root) render(<App />, root);
