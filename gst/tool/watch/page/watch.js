// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of gst-ensemble-1.0 watch. Names of classes and files are only ever text.
"use strict";

const MINUTES = 10;
const MOST_CURVES = 8;
const MOST_EVENTS = 100;
const cameras = new Map(); // name → what /api/state says of it
let selected = null; // name
let history = {classes: [], points: [], events: []}; // of the selected camera
let trains = false;

const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined)
    made.textContent = text;
  if (className)
    made.className = className;
  return made;
}

function url(...parts) {
  return "api/cameras/" + [selected, ...parts].map(encodeURIComponent).join("/");
}

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(where, method = "GET", body = undefined) {
  const options = {method, headers: {"Content-Type": "application/json"}};
  if (body !== undefined)
    options.body = JSON.stringify(body);
  const answer = await fetch(where, options);
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refused(answer.status, json.error || answer.statusText);
  return json;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
const percent = (p) => Math.round(p * 100) + " %";

// ---- Cameras ----

function drawCameras() {
  const buttons = [...cameras.values()].map((camera) => {
    const button = element("button", camera.name, camera.state);
    button.type = "button";
    button.title = camera.error && camera.state !== "playing" ? camera.error : camera.state;
    button.setAttribute("aria-pressed", String(camera.name === selected));
    button.addEventListener("click", () => select(camera.name));
    return button;
  });
  byId("cameras").replaceChildren(...buttons);
}

function drawState() {
  const camera = cameras.get(selected);
  const state = byId("camera-state");
  const parts = [camera.state];
  if (camera.state !== "playing" && camera.error)
    parts.push(camera.error);
  if (camera.recording)
    parts.push("recording");
  if (camera.model)
    parts.push("model " + camera.model + (camera.version ? " " + camera.version : ""));
  state.textContent = parts.join(" · ");
  state.classList.toggle("error", camera.state === "waiting");
}

function drawTags() {
  const camera = cameras.get(selected);
  const present = new Set(camera.present || []);
  const rows = Object.entries(camera.p || {}).sort((a, b) => b[1] - a[1]).slice(0, MOST_CURVES)
    .map(([name, p]) => {
      const row = element("div", undefined, present.has(name) ? "tag present" : "tag");
      const bar = element("progress");
      bar.max = 1;
      bar.value = p;
      bar.setAttribute("aria-label", name);
      const label = element("span", name, "name");
      label.title = name;
      row.append(label, bar, element("span", percent(p), "number"));
      return row;
    });
  byId("tags").replaceChildren(...(rows.length ? rows : [element("p", "No result yet.", "quiet")]));
}

function showLive() {
  byId("live").src = document.hidden || !selected ? "data:," : url("live");
}

async function select(name) {
  selected = name;
  drawCameras();
  drawState();
  drawTags();
  showLive();
  history = {classes: [], points: [], events: []};
  const [loaded] = await Promise.all([ask(url("history")), loadCollected(), loadClips()]);
  if (selected !== name)
    return;
  history = loaded;
  drawChart();
  drawEvents();
}

// ---- Tags over time ----

// Okabe and Ito's colours, which colour-blind people can tell apart, and dashes beside.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7d00", "#7f7f7f"];
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

// Indices of the classes that were likeliest.
function chooseCurves() {
  const highest = history.classes.map((_, i) =>
    history.points.reduce((most, point) => Math.max(most, point[i + 1]), 0));
  return highest.map((_, i) => i).sort((a, b) => highest[b] - highest[a]).slice(0, MOST_CURVES);
}

function drawCurve(context, index, order, box, end) {
  const begin = end - MINUTES * 60;
  let last = 0;
  context.strokeStyle = COLOURS[order % COLOURS.length];
  context.setLineDash(DASHES[order % DASHES.length]);
  context.beginPath();
  for (const point of history.points) {
    if (point[0] < begin)
      continue;
    const x = (point[0] - begin) / (end - begin) * box.width;
    const y = (1 - point[index + 1]) * (box.height - 4) + 2;
    // Where there were no results there is no line.
    if (point[0] - last > 15)
      context.moveTo(x, y);
    else
      context.lineTo(x, y);
    last = point[0];
  }
  context.stroke();
}

function drawChart() {
  const canvas = byId("chart");
  const box = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const curves = chooseCurves();

  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  context.scale(scale, scale);
  context.lineWidth = 1;
  context.strokeStyle = style.getPropertyValue("--line");
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(share * (box.height - 4)) + 1.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(box.width, y);
    context.stroke();
  }
  context.lineWidth = 1.75;
  curves.forEach((index, order) => drawCurve(context, index, order, box, Date.now() / 1000));
  byId("legend").replaceChildren(...curves.map((index, order) => {
    const item = element("li");
    const sign = element("span", "▬ ");
    sign.style.color = COLOURS[order % COLOURS.length];
    item.append(sign, history.classes[index]);
    return item;
  }));
}

function addPoint(result) {
  const classes = Object.keys(result.p);
  if (classes.join("\n") !== history.classes.join("\n"))
    history = {classes, points: [], events: history.events};
  history.points.push([result.time, ...Object.values(result.p)]);
  while (history.points.length && history.points[0][0] < result.time - MINUTES * 60)
    history.points.shift();
}

// ---- Events ----

function drawEvents() {
  const items = history.events.map((event) => {
    const item = element("li");
    item.append(element("time", clock(event.time)), " ", element("strong", event.class), " ",
                event.event, " ",
                element("span", event.event === "left" ? "after " + Math.round(event.duration) + " s"
                                                        : percent(event.probability), "quiet"));
    return item;
  });
  byId("events").replaceChildren(...(items.length ? items : [element("li", "None yet.", "quiet")]));
}

// ---- Clips ----

async function loadClips() {
  const name = selected;
  const {clips} = await ask(url("clips"));
  if (selected !== name)
    return;
  const items = clips.map((clip) => {
    const item = element("li");
    const link = element("a", clip.clip);
    link.href = url("clips", clip.clip);
    link.download = name + "-" + clip.clip;
    item.append(link, " ", element("span", (clip.bytes / 1e6).toFixed(1) + " MB", "quiet"));
    return item;
  });
  byId("clips").replaceChildren(...(items.length ? items : [element("li", "None yet.", "quiet")]));
}

// ---- Labels ----

const REASONS = {
  changed: "a class came or went",
  withheld: "withheld by the gate",
  uncertain: "uncertain",
  different: "unlike others",
};

function say(text, undo) {
  const status = byId("label-status");
  status.replaceChildren(text, " ");
  if (undo) {
    const button = element("button", "Undo");
    button.type = "button";
    button.addEventListener("click", undo);
    status.append(button);
  }
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    say(error.message);
  }
}

const label = (picture, name) => attempt(async () => {
  const where = url("collected", picture);
  await ask(where, "POST", {class: name});
  say("Labelled as " + name + ".", () => attempt(async () => {
    await ask(where, "POST", {undo: name});
    say("Taken back.");
    await loadCollected();
  }));
  await loadCollected();
});

const discard = (picture) => attempt(async () => {
  await ask(url("collected", picture), "DELETE");
  say("Discarded.");
  await loadCollected();
});

function drawPicture(picture, classes) {
  const figure = element("figure");
  const image = element("img");
  const labels = element("div", undefined, "labels");
  image.src = url("collected", picture.picture);
  image.loading = "lazy";
  image.alt = "Frame to label";
  for (const name of classes.length ? [...classes, "none"] : []) {
    const button = element("button", name, name === picture.class ? "suggested" : "");
    button.type = "button";
    button.addEventListener("click", () => label(picture.picture, name));
    labels.append(button);
  }
  const button = element("button", "Discard");
  button.type = "button";
  button.addEventListener("click", () => discard(picture.picture));
  labels.append(button);
  figure.append(image, element("figcaption", picture.reason
    ? picture.class + ": " + (REASONS[picture.reason] || picture.reason) : picture.picture), labels);
  return figure;
}

async function loadCollected() {
  const name = selected;
  const collects = cameras.get(name).collects;
  byId("labelling").hidden = !collects;
  if (!collects)
    return;
  const {classes = [], pictures, n} = await ask(url("collected"));
  if (selected !== name)
    return;
  byId("n-collected").textContent = String(n);
  byId("collected").replaceChildren(...(pictures.length
    ? pictures.map((picture) => drawPicture(picture, classes))
    : [element("p", "None yet.", "quiet")]));
}

// ---- Training ----

const TRAINING = {
  idle: "Trains with the labelled frames; the cameras then use the new model.",
  running: "Training …",
  done: "Trained.",
  failed: "Failed.",
  stopped: "Stopped.",
};

function drawTraining(training) {
  const running = training.state === "running";
  const seconds = Math.round(training.seconds);
  byId("training").hidden = !trains;
  byId("training-state").textContent =
    TRAINING[training.state] + (training.state === "idle" ? "" : " " + seconds + " s");
  byId("train").hidden = running;
  byId("stop").hidden = !running;
  const output = byId("training-output");
  output.textContent = training.output.join("\n");
  output.scrollTop = output.scrollHeight;
}

async function order(method) {
  try {
    await ask("api/training", method);
  } catch (error) {
    byId("training-state").textContent = error.message;
  }
}

byId("train").addEventListener("click", () => order("POST"));
byId("stop").addEventListener("click", () => order("DELETE"));

// ---- What the server tells ----

let due = false;

// At most one drawing a frame.
function drawSoon() {
  if (due)
    return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    drawTags();
    drawChart();
  });
}

const listeners = {
  camera(camera) {
    cameras.set(camera.name, camera);
    drawCameras();
    if (camera.name === selected)
      drawState();
  },
  result(result) {
    const camera = cameras.get(result.camera);
    Object.assign(camera, {p: result.p, present: result.present});
    if (result.camera !== selected)
      return;
    addPoint(result);
    drawSoon();
  },
  event({camera, event}) {
    if (camera !== selected)
      return;
    history.events.unshift(event);
    history.events.length = Math.min(history.events.length, MOST_EVENTS);
    drawEvents();
    loadClips();
    loadCollected();
  },
  model({camera, name, version}) {
    Object.assign(cameras.get(camera), {model: name, version});
    if (camera === selected)
      drawState();
  },
  training: drawTraining,
};

function listen() {
  const source = new EventSource("api/events");
  source.addEventListener("open", () => {
    byId("connection").textContent = "";
    loadState();
  });
  source.addEventListener("error", () => {
    byId("connection").textContent = "No connection; trying again …";
  });
  for (const [kind, listener] of Object.entries(listeners))
    source.addEventListener(kind, (message) => listener(JSON.parse(message.data)));
}

async function loadState() {
  const state = await ask("api/state");
  cameras.clear();
  for (const camera of state.cameras)
    cameras.set(camera.name, camera);
  trains = state.trains;
  drawTraining(state.training);
  byId("main").hidden = false;
  await select(cameras.has(selected) ? selected : state.cameras[0].name);
}

async function begin() {
  try {
    await ask("api/state");
    byId("login").hidden = true;
    listen();
  } catch (error) {
    if (error.status !== 401)
      byId("connection").textContent = error.message;
    byId("login").hidden = error.status !== 401;
  }
}

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("api/login", "POST", {token: byId("token").value});
    byId("token").value = "";
    await begin();
  } catch (error) {
    byId("login-error").textContent = error.message;
  }
});

document.addEventListener("visibilitychange", showLive);
window.addEventListener("resize", drawChart);
begin();
