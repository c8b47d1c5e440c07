import { render } from "preact";
import { api } from "./api";
import { App } from "./App";
import { Playground } from "./Playground";
import "../look/base.css";
import "./playground.css";

const root = document.getElementById("app")!;

api.scene().then(
  (scene) => render(<App playground={new Playground(scene)} />, root),
  (error: Error) => render(<p class="trouble">{error.message}</p>, root),
);
