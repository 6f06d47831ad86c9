/** The panes of a session and its chart: readable on a laptop, moved and folded as one likes, and as they were left. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { chromium, shoot } from "./chromium.ts"
import { isSound } from "./isSound.ts"
import { adminToken, startTroupe } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

const laptop = { token: adminToken, width: 1366, height: 650 }

describe.skipIf(chromium === null)("the panes of a session, and its chart", () => {
  let troupe: RunningTroupe
  let app: string
  let id: string
  beforeAll(async () => {
    troupe = await startTroupe()
    app = await troupe.mint("desk")
    id = await troupe.create(app, { permissions: "approve_all" })
    for (const prompt of ["hello", "tool ls", "crash 1", "and again"]) await troupe.turn(app, id, prompt)
  })
  afterAll(() => troupe?.leave())

  it("move, fold and are remembered", async () => {
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${id}` })
    const width = page.getByRole("separator", { name: "Width of the chart" })
    const height = page.getByRole("separator", { name: "Height of the time axis" })
    const chart = page.locator("#pane-chart")
    const widthNow = async () => (await chart.boundingBox())?.width ?? 0
    await chart.locator("svg .state.active").waitFor()
    // On a laptop: rows in the panel, and not only its head.
    assert.isAbove((await page.locator("#session-panel").boundingBox())?.height ?? 0, 220)

    // What one says next stands below what was said.
    const said = await page.locator(".transcript").boundingBox()
    assert.isAbove((await page.locator(".transcript-foot").boundingBox())?.y ?? 0, said?.y ?? Infinity)

    const usual = await widthNow()
    const at = (await width.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.mouse.move(at.x, at.y + 100)
    await page.mouse.down()
    await page.mouse.move(at.x - 150, at.y + 120, { steps: 4 })
    await page.mouse.up()
    assert.closeTo(await widthNow(), usual - 150, 3)
    await height.focus()
    const before = Number(await height.getAttribute("aria-valuenow"))
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    assert.strictEqual(Number(await height.getAttribute("aria-valuenow")), before + 4)
    await page.getByRole("button", { name: "Fold the panels" }).click()
    await page.locator("#session-panel").waitFor({ state: "hidden" })

    await page.reload()
    await chart.locator("svg .state.active").waitFor()
    assert.closeTo(await widthNow(), usual - 150, 3)
    await page.locator("#session-panel").waitFor({ state: "hidden" })
    // Who presses a part's name wants to see it.
    await page.getByRole("tab", { name: "Steps" }).click()
    await page.locator(".step").first().waitFor()
    await page.getByRole("button", { name: "Fold the chart" }).click()
    assert.isBelow(await widthNow(), 40)
    await page.getByRole("button", { name: "Fold the time axis" }).click()
    await page.locator(".timeline").waitFor({ state: "detached" })
    await shoot(page, "panes-folded")
    await page.getByRole("button", { name: "Unfold the chart" }).click()
    await page.getByRole("button", { name: "Unfold the time axis" }).click()
    await width.dblclick()
    assert.closeTo(await widthNow(), usual, 1)
    await page.context().close()
  })

  it("has no text below 11 px, around the state and as a whole, and lines that can be seen", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await troupe.visit({ ...laptop, colorScheme, at: `#/sessions/${id}` })
      await page.locator(".chart .state.active").waitFor()
      await page.getByText("Around idle · awake").waitFor()
      assert.deepStrictEqual(await smallWords(page), [])
      assert.deepStrictEqual(await faint(page), [])
      await shoot(page, `chart-around-${colorScheme}`)
      await page.getByRole("button", { name: "all states" }).click()
      await page.locator(".chart .state", { hasText: "interrupting" }).waitFor()
      assert.deepStrictEqual(await smallWords(page), [])
      assert.deepStrictEqual(await faint(page), [])
      await shoot(page, `chart-whole-${colorScheme}`)
      await page.context().close()
    }
  })

  it("has labels that stand apart, and cuts nothing off, where a session is idle, runs, asks and is parked", async () => {
    const running = await troupe.create(app)
    await troupe.begin(app, running, "hang")
    const asking = await troupe.create(app, { permissions: "ask" })
    await troupe.begin(app, asking, "ask-tool ls")
    const parked = await troupe.create(app)
    await troupe.turn(app, parked, "fail quota")
    for (const [session, substate, where] of [
      [id, "awake", "idle · awake"],
      [running, "running", "turning · running"],
      [asking, "asking", "turning · asking"],
      [parked, "parked", "idle · parked"]
    ] as const)
      for (const width of [1280, 1366]) {
        const page = await troupe.visit({ ...laptop, width, at: `#/sessions/${session}` })
        await page.locator(".session-head .badge", { hasText: substate }).waitFor()
        await page.getByText(`Around ${where}`).waitFor()
        await page.locator(".chart-svg .label").first().waitFor()
        assert.deepStrictEqual(await touching(page), [], `${where} at ${width}`)
        assert.deepStrictEqual(await smallWords(page), [], `${where} at ${width}`)
        await shoot(page, `chart-${substate}-${width}`)
        await page.context().close()
      }
    for (const each of [running, asking, parked]) await troupe.call("DELETE", `/sessions/${each}`, app)
  })

  it("says of an arrow what it means, how often it was taken, and leads to its last times", async () => {
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${id}` })
    const arrow = page.getByRole("button", { name: "Arrow from turning.running to idle.awake, taken 3 times" })
    await arrow.focus()
    const card = page.getByRole("dialog", { name: "About this arrow" })
    await card.getByText("taken 3 times").waitFor()
    await card.getByText("The agent has ended the turn: it is complete, and the process stays up.").waitFor()
    // A press keeps it, and goes into it.
    await page.keyboard.press("Enter")
    assert.strictEqual(await card.getByRole("link").count(), 3)
    await shoot(page, "chart-arrow")
    await isSound(page, "with an arrow's card")
    await card.getByRole("link").last().click()
    await page.locator(".travel-step", { hasText: "the turn ends" }).waitFor()
    await page.waitForURL(/#\/sessions\/[^/]+\/steps\/4\?tab=state$/)
    await page.keyboard.press("Escape")
    await card.waitFor({ state: "detached" })
    await page.context().close()
  })

  it("shows what is around another state where that is pressed, and follows its own again", async () => {
    const page = await troupe.visit({ ...laptop, at: `#/sessions/${id}` })
    await page.getByText("Around idle · awake").waitFor()
    const map = page.getByRole("img", { name: /^The whole machine, small/ })
    const { height, width, x, y } = (await map.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    await page.mouse.click(x + width * 0.25, y + height * 0.93)
    await page.getByText(/^Around (closed|retiring)/).waitFor()
    await page.getByRole("button", { name: "follow idle · awake" }).click()
    await page.getByText("Around idle · awake").waitFor()

    await troupe.begin(app, id, "hang")
    await page.getByText("Around turning · running").waitFor()
    // Moved by hand it stays, whatever happens.
    await page.getByRole("button", { name: "Look closer" }).click()
    await troupe.call("POST", `/sessions/${id}/interrupt`, app)
    await page.getByRole("button", { name: /^follow idle/ }).waitFor()
    await page.getByText("Around turning · running").waitFor()
    await page.getByRole("button", { name: /^follow idle/ }).click()
    await page.getByText(/^Around idle/).waitFor()

    await page.getByRole("button", { name: "legend" }).click()
    await page.getByText("a state it was never in").waitFor()
    await shoot(page, "chart-legend")
  })
})

/** Words of the chart that are drawn smaller than 11 px. */
const smallWords = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate(`[...document.querySelectorAll(".chart-svg text")].flatMap((text) => {
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a
    return size < 11 ? [text.textContent + " " + size] : []
  })`)

/** Labels that are closer than 3 px to each other, and states and labels that the pane cuts off. */
const touching = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate(`(() => {
    const found = (selector) => [...document.querySelectorAll(".chart-svg " + selector)].map((each) => ({
      words: each.textContent, box: each.querySelector("rect").getBoundingClientRect()
    }))
    const [labels, states] = [found(".label"), found(".state")]
    const pane = document.querySelector(".chart").getBoundingClientRect()
    const apart = (a, b) => Math.max(
      Math.max(a.left, b.left) - Math.min(a.right, b.right), Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom))
    return [
      ...labels.flatMap((a, n) => labels.slice(n + 1).flatMap((b) =>
        apart(a.box, b.box) < 3 ? [a.words + " touches " + b.words] : [])),
      ...[...labels, ...states].flatMap(({ box, words }) =>
        box.left < pane.left || box.right > pane.right || box.top < pane.top || box.bottom > pane.bottom
          ? [words + " is cut off"] : [])
    ]
  })()`)

/** Lines that have less than 3:1 to what is behind them, and words that have less than 4.5:1. */
const faint = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate(`(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
    const rgb = (color) => {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }
    const light = (color) => {
      const [r, g, b] = rgb(color).map((n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4))
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)
    const ground = getComputedStyle(document.querySelector(".session-chart")).backgroundColor
    const lines = [...document.querySelectorAll(".chart-svg .line")].map((line) => [line, getComputedStyle(line).stroke, ground, 3])
    const words = [...document.querySelectorAll(".chart-svg :is(.state, .label) text")].map((text) => {
      const box = getComputedStyle(text.closest(".state, .label").querySelector("rect")).fill
      return [text, getComputedStyle(text).fill, box, 4.5]
    })
    return [...lines, ...words].flatMap(([element, color, behind, least]) => {
      const found = contrast(color, behind)
      return found < least ? [element.getAttribute("class") + " " + element.textContent + " " + color + " on " + behind + ": " + found] : []
    })
  })()`)
