// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of gst-ensemble-1.0 watch. Names of classes and files are only ever text.
"use strict";

const MINUTES = 10;
const MOST_CURVES = 8;
const MOST_EVENTS = 100;
const MOST_FRAMES = 12; // to label, at first
const cameras = new Map(); // name → what /api/state says of it
let selected = null; // name
let history = {classes: [], points: [], events: []}; // of the selected camera
let trains = false;
const added = new Set(); // classes that were made on this page
let most = MOST_FRAMES; // frames that are shown

const RETRY = 2000; // milliseconds
const NOT_CONNECTED = "No connection to gst-ensemble-1.0 watch; trying again …";
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
  const answer = await fetch(where, options).catch(() => {
    throw new Refused(0, NOT_CONNECTED);
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refused(answer.status, json.error || answer.statusText);
  return json;
}

let ahead = 0; // seconds that the server's clock is ahead of this machine's
const now = () => Date.now() / 1000 + ahead; // as the server says
const setClock = (seconds) => {
  ahead = seconds - Date.now() / 1000;
};

// With the date if that isn't today's.
function clock(seconds) {
  const time = new Date(seconds * 1000);
  const today = new Date(now() * 1000);
  return time.toDateString() === today.toDateString() ? time.toLocaleTimeString() : time.toLocaleString();
}

const percent = (p) => Math.round(p * 100) + "\u00a0%";

// ---- Cameras ----

function makeCameraButton(name) {
  const button = element("button", name);
  button.type = "button";
  button.addEventListener("click", () => attempt(() => select(name)));
  return button;
}

// Buttons stay, so that the focus does.
function drawCameras() {
  const nav = byId("cameras");
  const names = [...cameras.keys()];
  if ([...nav.children].map((button) => button.textContent).join("\n") !== names.join("\n"))
    nav.replaceChildren(...names.map(makeCameraButton));
  for (const button of nav.children) {
    const camera = cameras.get(button.textContent);
    button.className = camera.state;
    const failed = camera.error && camera.state !== "playing";
    button.title = camera.name + ": " + (failed ? camera.error : camera.state);
    button.setAttribute("aria-pressed", String(camera.name === selected));
  }
}

function drawState() {
  const camera = cameras.get(selected);
  const state = byId("camera-state");
  const parts = [camera.state];
  if (camera.state !== "playing" && camera.error)
    parts.push(camera.error);
  if (camera.recording)
    parts.push("recording");
  if (camera.clip_error)
    parts.push("no clip: " + camera.clip_error);
  if (camera.collect_error)
    parts.push("no frames to label: " + camera.collect_error);
  if (camera.model)
    parts.push("model " + camera.model + (camera.version ? ", version " + camera.version : ""));
  if (camera.swapped)
    parts.push("new model since " + clock(camera.swapped));
  state.textContent = parts.join(" · ");
  state.classList.toggle("error", camera.state === "waiting" || Boolean(camera.clip_error || camera.collect_error));
  byId("live").parentElement.classList.toggle("gone", camera.state === "waiting");
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

// A new element, so that another camera's last picture is gone.
function showLive() {
  const old = byId("live");
  const image = element("img");
  image.id = "live";
  image.alt = "Live picture of " + selected;
  image.src = document.hidden || !selected ? "data:," : url("live");
  old.src = "data:,"; // ends its connection
  old.replaceWith(image);
}

async function select(name) {
  if (selected !== name)
    most = MOST_FRAMES;
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
  return highest.map((_, i) => i).sort((a, b) => highest[b] - highest[a]).slice(0, MOST_CURVES)
    .sort((a, b) => a - b);
}

// A class keeps its colour and dashes, whatever else is shown.
function styleOf(index) {
  return [COLOURS[index % COLOURS.length], DASHES[Math.floor(index / COLOURS.length) % DASHES.length]];
}

function drawCurve(context, index, box, begin, end) {
  const [colour, dashes] = styleOf(index);
  let last = 0;
  context.strokeStyle = colour;
  context.setLineDash(dashes);
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

function drawGrid(context, box) {
  context.lineWidth = 1;
  context.strokeStyle = getComputedStyle(document.body).getPropertyValue("--line");
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(share * (box.height - 4)) + 1.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(box.width, y);
    context.stroke();
  }
}

function drawLegend(curves) {
  byId("legend").replaceChildren(...curves.map((index) => {
    const item = element("li");
    const sign = element("span", "▬ ");
    sign.style.color = styleOf(index)[0];
    item.append(sign, history.classes[index]);
    return item;
  }));
}

function drawChart() {
  const canvas = byId("chart");
  const box = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  const context = canvas.getContext("2d");
  const curves = chooseCurves();
  const end = now();
  // Whole minutes, as many as there are results of.
  const first = history.points.length ? history.points[0][0] : end;
  const minutes = Math.min(MINUTES, Math.max(1, Math.ceil((end - first) / 60)));
  const span = minutes === 1 ? "1 minute" : minutes + " minutes";

  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  canvas.setAttribute("aria-label", "Probabilities of the last " + span);
  byId("chart-begin").textContent = span + " ago";
  context.scale(scale, scale);
  drawGrid(context, box);
  context.lineWidth = 1.75;
  for (const index of curves)
    drawCurve(context, index, box, end - minutes * 60, end);
  drawLegend(curves);
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

// TIME-CLASS-NUMBER.mkv
function nameClip(file) {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(.*)-(\d+)\.mkv$/.exec(file);
  if (!parts)
    return file;
  const time = new Date(parts.slice(1, 4).join("-") + "T" + parts.slice(4, 7).join(":") + "Z");
  return time.toLocaleString() + " " + parts[7] + (Number(parts[8]) === 0 ? "" : ", part " + (Number(parts[8]) + 1));
}

async function loadClips() {
  const name = selected;
  const {clips} = await ask(url("clips"));
  if (selected !== name)
    return;
  const items = clips.map((clip) => {
    const item = element("li");
    const link = element("a", nameClip(clip.clip));
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
  status.classList.remove("error");
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
    byId("label-status").classList.add("error");
  }
}

// The next frame takes the place of one that is gone, and what had the focus keeps it.
function removeFrame(figure) {
  const focused = [...figure.querySelectorAll("button")].indexOf(document.activeElement);
  const next = figure.nextElementSibling || figure.previousElementSibling;
  figure.remove();
  if (focused >= 0)
    (next?.querySelectorAll("button")[focused] ?? byId("collected")).focus();
}

function removePicture(picture) {
  const figure = [...byId("collected").children].find((child) => child.dataset.picture === picture);
  if (figure)
    removeFrame(figure);
}

const label = (picture, name) => attempt(async () => {
  const where = url("collected", picture);
  await ask(where, "POST", {class: name, new: added.has(name)});
  removePicture(picture);
  say("Labelled as " + name + ".", () => attempt(async () => {
    await ask(where, "POST", {undo: name});
    say("Taken back.");
    await loadCollected();
  }));
  await loadCollected();
});

const discard = (picture) => attempt(async () => {
  await ask(url("collected", picture), "DELETE");
  removePicture(picture);
  say("Discarded.");
  await loadCollected();
});

function labelButton(picture, name, className, action) {
  const button = element("button", name, className);
  button.type = "button";
  button.addEventListener("click", () => action(picture, name));
  return button;
}

function drawPicture(picture, classes) {
  const figure = element("figure");
  const image = element("img");
  const labels = element("div", undefined, "labels");
  const caption = picture.reason
    ? picture.class + ": " + (REASONS[picture.reason] || picture.reason) : picture.picture;
  figure.dataset.picture = picture.picture;
  image.src = url("collected", picture.picture);
  image.loading = "lazy";
  image.alt = "Frame to label, " + caption;
  labels.setAttribute("role", "group");
  labels.setAttribute("aria-label", "Label");
  // What the frame is taken for comes first: of many classes it would be far below.
  const others = classes.filter((name) => name !== picture.class);
  const names = others.length < classes.length ? [picture.class, ...others] : others;
  for (const name of names.length ? [...names, "none"] : [])
    labels.append(labelButton(picture.picture, name, name === picture.class ? "suggested" : "", label));
  labels.append(labelButton(picture.picture, "Discard", "discard", discard));
  figure.append(image, element("figcaption", caption), labels);
  return figure;
}

// Frames keep their places while somebody labels: new ones come last.
function drawCollected(classes, pictures) {
  const list = byId("collected");
  const there = new Set(pictures.map((picture) => picture.picture));
  const key = [selected, ...classes].join("\n");
  if (list.dataset.key !== key)
    list.replaceChildren();
  list.dataset.key = key;
  for (const child of [...list.children])
    if (!there.has(child.dataset.picture))
      removeFrame(child);
  const shown = new Set([...list.children].map((figure) => figure.dataset.picture));
  for (const picture of pictures)
    if (list.children.length < most && !shown.has(picture.picture))
      list.append(drawPicture(picture, classes));
  if (!list.children.length)
    list.append(element("p", "None yet: frames that are uncertain or that show a change are kept.", "quiet"));
}

async function loadCollected() {
  const name = selected;
  const collects = cameras.get(name).collects;
  byId("labelling").hidden = !collects;
  if (!collects)
    return;
  const {classes, pictures, n} = await ask(url("collected"));
  if (selected !== name)
    return;
  byId("n-collected").textContent = String(n);
  byId("new-class").hidden = !classes;
  byId("more").hidden = pictures.length <= most;
  drawCollected([...new Set([...(classes || []), ...added])].sort(), pictures);
}

byId("more").addEventListener("click", () => {
  most += MOST_FRAMES;
  attempt(loadCollected);
});

byId("new-class").addEventListener("submit", (event) => {
  const input = byId("class-name");
  event.preventDefault();
  added.add(input.value.trim());
  input.value = "";
  attempt(loadCollected);
});

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
  output.hidden = !training.output.length;
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
    const before = cameras.get(camera.name);
    cameras.set(camera.name, camera);
    drawCameras();
    if (camera.name !== selected || byId("main").hidden)
      return;
    drawState();
    // The connection may have ended while there was no picture.
    if (camera.state === "playing" && before?.state !== "playing")
      showLive();
  },
  result(result) {
    setClock(result.time);
    const camera = cameras.get(result.camera);
    if (!camera)
      return; // the state is still being loaded
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
    attempt(() => Promise.all([loadClips(), loadCollected()]));
  },
  model({camera, name, version, swapped}) {
    Object.assign(cameras.get(camera) || {}, {model: name, version, swapped});
    if (camera === selected)
      drawState();
  },
  training: drawTraining,
};

function listen() {
  const source = new EventSource("api/events");
  source.addEventListener("open", () => {
    byId("connection").textContent = "";
    attempt(loadState);
  });
  source.addEventListener("error", () => {
    byId("connection").textContent = NOT_CONNECTED;
    // Refused: the server knows this page no longer, and may want its token again.
    if (source.readyState === EventSource.CLOSED)
      setTimeout(begin, RETRY);
  });
  for (const [kind, listener] of Object.entries(listeners))
    source.addEventListener(kind, (message) => listener(JSON.parse(message.data)));
}

async function loadState() {
  const state = await ask("api/state");
  setClock(state.time);
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
    const locked = error.status === 401;
    byId("connection").textContent = locked ? "" : error.message;
    byId("login").hidden = !locked;
    if (locked)
      byId("token").focus();
    else
      setTimeout(begin, RETRY);
  }
}

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("api/login", "POST", {token: byId("token").value});
    byId("token").value = "";
    byId("login-error").textContent = "";
    await begin();
  } catch (error) {
    byId("login-error").textContent = error.message;
  }
});

document.addEventListener("visibilitychange", showLive);
window.addEventListener("resize", drawChart);
begin();
