// Looks at the page in Chromium, as TestInABrowser has it, and prints what it saw as JSON. Input:
// {url, port, control, proxy, dir, browser}. The tests serve at control/: POST /next changes how
// the daemon stands, /down and /up end and begin its answers, /gone takes a service away, /many
// gives it a thousand; GET / is a page of another origin.
"use strict";

const fs = require("fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const input = JSON.parse(fs.readFileSync(0, "utf8"));
const { url, control } = input;
const seen = { requests: [], complaints: [], violations: [], wide: [] };
let down = false; // the daemon does not answer, as Chromium says on the console
const command = (name) => fetch(control + "/" + name, { method: "POST" });

async function main() {
  const browser = await chromium.launch({
    executablePath: input.browser,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP evil.example.com 127.0.0.1",
      "--proxy-server=" + input.proxy, "--proxy-bypass-list=127.0.0.1;localhost;evil.example.com",
    ],
  });
  try {
    await withoutScript(browser);
    await looks(browser);
    await keyboard(browser);
    await refreshes(browser);
    await strangers(browser);
    await many(browser);
  } finally {
    await browser.close();
  }
}

// open opens the page as somebody has it who has these options.
async function open(browser, options, path = "/") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("request", (r) => seen.requests.push(r.url()));
  const expected = (m) => down || m.text().includes("404"); // of a service that is gone
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !expected(m) && seen.complaints.push(m.text() + " " + m.location().url));
  page.on("pageerror", (e) => seen.complaints.push(String(e)));
  seen.answer = await page.goto(url + path);
  return page;
}

const rows = (page) => page.locator("tbody tr:visible th").allInnerTexts();

async function withoutScript(browser) {
  const page = await open(browser, { javaScriptEnabled: false });
  // A click does not wait for what it opens, nor for the style sheet.
  const follow = async (link) => {
    const to = new URL(await link.getAttribute("href"), page.url());
    await link.click();
    await page.waitForURL(to.href);
  };
  seen.plain = await page.locator("body").innerText();
  await follow(page.getByRole("link", { name: "1 failing" }));
  seen.filtered = await rows(page);
  await follow(page.getByRole("link", { name: "all", exact: true }));
  seen.unfiltered = await rows(page);
  await follow(page.getByRole("rowheader", { name: "nginx" }).getByRole("link"));
  seen.service = await page.locator("body").innerText();
  await page.context().close();
}

// looks takes pictures, and has axe judge each.
async function looks(browser) {
  const wide = { width: 1280, height: 900 }, narrow = { width: 360, height: 740 };
  for (const [path, list] of [
    ["/", [["light", "light", wide], ["dark", "dark", wide], ["narrow-dark", "dark", narrow], ["narrow", "light", narrow]]],
    ["/?service=nginx", [["service", "light", wide]]],
    ["/?service=worker", [["service-narrow", "dark", narrow]]],
    ["/?service=shop", [["service-unhealthy", "light", narrow]]],
  ]) {
    const page = await open(browser, {}, path);
    await page.evaluate(axe);
    for (const [name, colorScheme, viewport] of list) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${input.dir}/${name}.png`, fullPage: true });
      if (name === "light") await page.screenshot({ path: `${input.dir}/docs.png` });
      const { scroll, client, background } = await page.evaluate(() => {
        const root = document.documentElement;
        return { scroll: root.scrollWidth, client: root.clientWidth, background: getComputedStyle(root).backgroundColor };
      });
      if (scroll > client) seen.wide.push(`${name}: ${scroll} > ${client}`);
      seen.background = { ...seen.background, [name]: background };
      const found = await page.evaluate(() => axe.run());
      for (const v of found.violations) seen.violations.push(`${name}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" ").slice(0, 300)}`);
      for (const v of found.incomplete) seen.violations.push(`${name}: unsure: ${v.id}: ${v.nodes.map((n) => n.html + JSON.stringify(n.any.map((c) => c.message))).join(" ").slice(0, 300)}`);
      seen.passes = found.passes.map((p) => p.id);
    }
    seen.cookies = await page.context().cookies();
    await page.context().close();
  }
}

// keyboard goes through the page by Tab, and follows links by Enter.
async function keyboard(browser) {
  const page = await open(browser, {});
  seen.stops = [];
  for (let i = 0; i < 16; i++) {
    await page.keyboard.press("Tab");
    seen.stops.push(await page.evaluate(() => {
      const at = document.activeElement, style = getComputedStyle(at);
      return { text: at.innerText.trim(), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    }));
  }
  const press = async (name) => {
    await page.getByRole("link", { name, exact: true }).first().focus();
    await page.keyboard.press("Enter");
  };
  await press("1 failing");
  await page.waitForFunction(() => location.hash === "#failing");
  seen.pressed = await rows(page);
  await press("worker");
  await page.waitForURL("**/?service=worker");
  await page.context().close();
}

async function refreshes(browser) {
  const page = await open(browser, {});
  await page.clock.install();
  await page.reload();
  await page.getByRole("rowheader", { name: "haproxy" }).getByRole("link").focus();
  await page.evaluate(() => scrollTo(0, 250));
  const before = await page.evaluate(() => scrollY);
  await command("next");
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("headline").innerText.includes("2 failing"));
  seen.refreshed = {
    title: await page.title(), rows: await rows(page), focus: await page.evaluate(() => document.activeElement.innerText),
    scrolled: (await page.evaluate(() => scrollY)) - before,
  };
  await page.evaluate(() => getSelection().selectAllChildren(document.getElementById("headline")));
  await command("next");
  await page.clock.fastForward(10_000);
  await page.clock.fastForward(10_000);
  seen.selected = await page.evaluate(() => getSelection().toString());
  await page.evaluate(() => getSelection().removeAllRanges());
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("headline").innerText.includes("1 failing"));
  const trouble = page.locator("#trouble");
  await command("down");
  down = true;
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("trouble").innerText !== "");
  seen.away = await trouble.innerText();
  seen.kept = await rows(page);
  await command("up");
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("trouble").innerText === "");
  down = false;
  await page.getByRole("link", { name: "1 failing" }).click();
  await page.evaluate(() => scrollTo(0, 60));
  const at = await page.evaluate(() => scrollY);
  await command("next");
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("headline").innerText.includes("2 failing"));
  seen.stillFiltered = { rows: await rows(page), scrolled: (await page.evaluate(() => scrollY)) - at };
  await command("next");
  await page.goto(url + "/?service=nginx");
  await command("gone");
  await page.clock.fastForward(10_000);
  await page.waitForFunction(() => document.getElementById("trouble").innerText !== "");
  seen.gone = await trouble.innerText();
  await page.context().close();
}

// strangers come by a name that leads here, or from a page of another origin.
async function strangers(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const answer = await page.goto(`http://evil.example.com:${input.port}/`);
  seen.rebound = { status: answer.status(), text: await answer.text() };
  await page.goto(control + "/");
  seen.fetched = await page.evaluate((url) => fetch(url).then((a) => a.text()).catch((e) => "refused"), url + "/");
  seen.opaque = await page.evaluate((url) => fetch(url, { mode: "no-cors" }).then((a) => a.type).catch((e) => "refused"), url + "/");
  await page.evaluate((url) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = done;
    frame.src = url;
    document.body.append(frame);
  }), url + "/");
  const frame = page.frames().find((f) => f !== page.mainFrame());
  seen.framed = await frame.locator("body").innerText({ timeout: 1000 }).catch(() => "");
  await context.close();
}

async function many(browser) {
  await command("many");
  const began = Date.now();
  const page = await open(browser, { viewport: { width: 360, height: 740 } });
  seen.many = { milliseconds: Date.now() - began, rows: await page.locator("tbody tr").count() };
  await page.getByRole("link", { name: "10 failing" }).click();
  seen.many.filtered = (await rows(page)).length;
  await page.context().close();
}

main().then(
  () => console.log(JSON.stringify({ ...seen, answer: undefined, status: seen.answer.status() })),
  (e) => { console.error(e); process.exitCode = 1; },
);
