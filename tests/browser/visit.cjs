// Opens pages in Chromium and prints what it saw, as JSON: one process for all pages of a test session.
// usage: node visit.cjs CHROMIUM < {"pages": {name: file}, "hostile": {name: file}, "screens": {name: file},
//                              "site": {name: file}}
"use strict";
const fs = require("node:fs");
const { pathToFileURL } = require("node:url");
const puppeteer = require("puppeteer-core");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const screens = { desktop: [1280, 800], phone: [360, 740] };

async function opened(browser, file, seen, scheme = "light", size = [1280, 800], bypass = false) {
  const page = await browser.newPage();
  await page.setViewport({ width: size[0], height: size[1] });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  if (bypass) await page.setBypassCSP(true);
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("dialog", (dialog) => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => seen.requests.push(request.url()));
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  return page;
}

const unfold = () => document.querySelectorAll("details").forEach((d) => { d.open = true; });

async function accessibility(page, preload = true) {
  await page.evaluate(unfold);
  await page.evaluate(axe);
  const report = await page.evaluate((preload) => window.axe.run(document, { preload, resultTypes: ["violations", "incomplete"] }), preload);
  const brief = (list) => list.map((v) => ({ id: v.id, nodes: v.nodes.map((n) => `${n.target}: ${n.failureSummary}`) }));
  return { violations: brief(report.violations), incomplete: brief(report.incomplete), passes: report.passes.length };
}

async function firstScreen(page) {
  return page.evaluate(() => {
    const part = (selector) => {
      const found = document.querySelector(selector);
      if (!found) return null;
      const box = found.getBoundingClientRect();
      return { text: found.innerText, bottom: box.bottom, right: box.right };
    };
    return {
      height: window.innerHeight, width: window.innerWidth,
      title: part(".first h2"), place: part(".first .place"), hint: part(".first .hint dd"),
    };
  });
}

async function labels(page) {
  return page.evaluate(() => [...document.querySelectorAll("dl.parts dt")].filter((e) => e.checkVisibility())
    .map((e) => ({ text: e.innerText, width: e.offsetWidth, height: e.offsetHeight })));
}

async function byKeyboard(page) {
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], summary, [tabindex='0'], button, input")];
    const shown = all.filter((e) => e.checkVisibility({ contentVisibilityAuto: true }));
    shown.forEach((e, i) => { e.dataset.stop = i; });
    return shown.length;
  });
  const visited = new Set();
  for (let i = 0; i < wanted + 3; i += 1) {
    await page.keyboard.press("Tab");
    visited.add(await page.evaluate(() => document.activeElement.dataset.stop ?? "none"));
  }
  visited.delete("none");
  const outline = await page.evaluate(() => {
    const summary = document.querySelector("summary");
    if (!summary) return "none needed";
    summary.focus();
    return getComputedStyle(summary).outlineStyle;
  });
  const before = await page.evaluate(() => document.querySelectorAll("details[open]").length);
  await page.keyboard.press("Enter");
  const after = await page.evaluate(() => document.querySelectorAll("details[open]").length);
  return { wanted, reached: visited.size, outline, toggled: after - before };
}

async function visit(browser, file) {
  const seen = { console: [], dialogs: [], requests: [] };
  const result = { seen, axe: {}, screens: {} };
  for (const scheme of ["light", "dark"]) {
    const page = await opened(browser, file, seen, scheme);
    result.axe[scheme] = await accessibility(page);
    await page.close();
  }
  for (const [name, size] of Object.entries(screens)) {
    const page = await opened(browser, file, seen, "light", size);
    result.screens[name] = await firstScreen(page);
    if (name === "desktop") result.keyboard = await byKeyboard(page);
    if (name === "desktop") result.labels = await labels(page);
    await page.close();
  }
  const narrow = await opened(browser, file, seen, "light", [320, 640]);
  await narrow.evaluate(unfold);
  result.widthAt320 = await narrow.evaluate(() => document.documentElement.scrollWidth);
  await narrow.close();
  const printed = await opened(browser, file, seen);
  const pdf = Buffer.from(await printed.pdf({ format: "A4" })).toString("latin1");
  result.printedPages = (pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
  await printed.close();
  return result;
}

async function attack(browser, file) {
  // Without the page's own policy: what protects the reader here is that the text was escaped.
  const seen = { console: [], dialogs: [], requests: [] };
  const page = await opened(browser, file, seen, "light", [1280, 800], true);
  await page.evaluate(unfold);
  await page.mouse.move(300, 300);
  await page.keyboard.press("Tab");
  seen.scripts = await page.evaluate(() => document.scripts.length);
  seen.handlers = await page.evaluate(() => [...document.querySelectorAll("*")]
    .filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length);
  await page.close();
  return seen;
}

async function glance(browser, file) {
  const seen = {};
  for (const [name, size] of Object.entries(screens)) {
    const page = await opened(browser, file, { console: [], dialogs: [], requests: [] }, "light", size);
    seen[name] = await firstScreen(page);
    await page.close();
  }
  return seen;
}

async function documentation(browser, file) {
  const seen = { console: [], dialogs: [], requests: [] };
  const result = { seen, axe: {}, widths: {} };
  for (const scheme of ["light", "dark"]) {
    const page = await opened(browser, file, seen, scheme);
    result.axe[scheme] = await accessibility(page, false);  // axe cannot fetch a style sheet of a file
    await page.close();
  }
  for (const width of [320, 360, 1280]) {
    const page = await opened(browser, file, seen, "light", [width, 740]);
    result.widths[width] = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.close();
  }
  return result;
}

async function main() {
  const jobs = JSON.parse(fs.readFileSync(0, "utf8"));
  const browser = await puppeteer.launch({
    executablePath: process.argv[2], headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const result = { pages: {}, hostile: {}, screens: {}, site: {} };
  try {
    for (const [name, file] of Object.entries(jobs.pages)) result.pages[name] = await visit(browser, file);
    for (const [name, file] of Object.entries(jobs.hostile)) result.hostile[name] = await attack(browser, file);
    for (const [name, file] of Object.entries(jobs.screens)) result.screens[name] = await glance(browser, file);
    for (const [name, file] of Object.entries(jobs.site)) result.site[name] = await documentation(browser, file);
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(result));
}

main().catch((error) => { console.error(error); process.exit(1); });
