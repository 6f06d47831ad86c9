/**
 * The real server as its own process, and pages of a real browser. Every page is watched: whatever a test does, the page
 * executes nothing that its policy forbids, throws nothing, and requests nothing but the server.
 */
import { assert } from "@effect/vitest"
import type { ChildProcess } from "node:child_process"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { makeWorkspace } from "../cli/program.ts"
import type { Workspace, Running } from "../cli/program.ts"
import { launch } from "./chromium.ts"

export const adminToken = "an-admin-token-for-tests"

/** Every wait of a page fails after this time. */
export const patienceMillis = 30_000

interface Called {
  readonly status: number
  /** Untyped: tests check it field by field. */
  readonly json: ReturnType<typeof JSON.parse>
}

export interface RunningTroupe {
  readonly workspace: Workspace
  readonly url: string
  readonly browser: Browser
  readonly program: () => ChildProcess
  readonly call: (method: string, path: string, token: string, body?: object) => Promise<Called>
  readonly mint: (name: string) => Promise<string>
  readonly create: (token: string, body?: object) => Promise<string>
  /** Waits for the end of the turn. */
  readonly turn: (token: string, id: string, prompt: string) => Promise<Called>
  /** Does not wait for the end of the turn. */
  readonly begin: (token: string, id: string, prompt: string) => Promise<void>
  readonly visit: (options?: VisitOptions) => Promise<Page>
  /** `SIGTERM`, and `start` again at the same address with the same directory. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  /** Ends everything. Fails where a page did something forbidden. */
  readonly leave: () => Promise<void>
}

export interface VisitOptions {
  readonly colorScheme?: "light" | "dark"
  readonly width?: number
  readonly height?: number
  /** Logs in with it. */
  readonly token?: string
  /** Such as `#/approvals`; absent: all sessions. */
  readonly at?: string
}

export const startTroupe = async (
  env: Readonly<Record<string, string>> = {},
  workspace = makeWorkspace()
): Promise<RunningTroupe> => {
  let program: Running
  let url = ""
  const run = async (port: string) => {
    program = workspace.start(["serve", "--port", port], { TROUPE_ADMIN_TOKEN: adminToken, ...env })
    const [, address = ""] = await program.printed(/inspect +(http:\/\/[^/]+)\/inspect\//)
    url = address
  }
  await run("0")
  const { browser, leave, visit } = await openBrowser(() => url)

  const call: RunningTroupe["call"] = async (method, path, token, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patienceMillis)
    })
    return { status: response.status, json: await response.json() }
  }

  const done = async (...given: Parameters<typeof call>) => {
    const { json, status } = await call(...given)
    assert.isTrue(status >= 200 && status < 300, `${given[0]} ${given[1]}: ${JSON.stringify(json)}`)
    return json
  }

  const minted = new Set<string>()
  const mint = async (name: string) => {
    // An earlier try of the test has it: a name is free again when its app is revoked.
    if (minted.has(name)) await done("DELETE", `/admin/apps/${name}`, adminToken)
    minted.add(name)
    return (await done("POST", "/admin/apps", adminToken, { name })).token
  }

  return {
    workspace,
    get url() {
      return url
    },
    browser,
    program: () => program.child,
    call,
    mint,
    create: async (token, body = {}) => (await done("POST", "/sessions", token, { agent: "demo", ...body })).session_id,
    turn: (token, id, prompt) => call("POST", `/sessions/${id}/turn`, token, { prompt }),
    begin: async (token, id, prompt) =>
      void (await done("POST", `/sessions/${id}/turn`, token, { prompt, wait: false })),
    visit,
    stop: async () => {
      program.child.kill("SIGTERM")
      await program.ended
    },
    start: () => run(new URL(url).port),
    leave: async () => {
      try {
        await leave()
      } finally {
        await workspace.cleanUp()
      }
    }
  }
}

/** Pages of the server at `url`. Leaving fails where one of them did something forbidden. */
export const openBrowser = async (url: () => string): Promise<Pick<RunningTroupe, "browser" | "leave" | "visit">> => {
  const browser = await launch()
  const watches: Array<() => void> = []
  return {
    browser,
    visit: async ({ at = "#/sessions", colorScheme = "light", height = 800, token, width = 1280 } = {}) => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" })
      context.setDefaultTimeout(patienceMillis)
      const page = await context.newPage()
      watches.push(watch(page, url()))
      await page.goto(`${url()}/inspect/${at}`)
      if (token !== undefined) await logIn(page, token)
      return page
    },
    leave: async () => {
      try {
        for (const check of watches) check()
      } finally {
        await browser.close()
      }
    }
  }
}

export const logIn = async (page: Page, token: string): Promise<void> => {
  await page.getByLabel("Token").fill(token)
  await page.getByRole("button", { name: "Log in" }).click()
  await page.locator(".header").waitFor()
}

/** Returns the function that fails, at the end, where the page did something forbidden. */
const watch = (page: Page, origin: string) => {
  const wrong: Array<string> = []
  page.on("request", (request) => {
    const to = request.url()
    if (!to.startsWith(`${origin}/`) && !to.startsWith("data:")) wrong.push(`asked for ${to}`)
  })
  page.on("pageerror", (error) => wrong.push(`threw ${error.stack ?? error.message}`))
  page.on("console", (message) => {
    // A refused request, or one that was lost with a restarting server, is no fault of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      wrong.push(`said ${message.text()}`)
  })
  page.on("dialog", (dialog) => {
    wrong.push(`opened a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return () => assert.deepStrictEqual(wrong, [])
}

/** Reads until the value is as wanted. The error contains the last value. */
export const until = async <A>(read: () => Promise<A> | A, isIt: (value: A) => boolean): Promise<A> => {
  const deadline = performance.now() + patienceMillis
  while (true) {
    const value = await read()
    if (isIt(value)) return value
    if (performance.now() > deadline) throw new Error(`it never came; it was ${JSON.stringify(value)?.slice(0, 2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Everything that the browser stores for the page, but the cookie, which no script can read. */
export const stored = async (context: BrowserContext, page: Page): Promise<string> =>
  JSON.stringify([
    await context.storageState(),
    await page.evaluate("[document.cookie, location.href, { ...localStorage }, { ...sessionStorage }, history.state]")
  ])
