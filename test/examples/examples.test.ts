/** The programs of examples/, as their reader runs them. */
import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const home = join(root, "examples")
const adminToken = "an-admin-token-for-examples"

const environment = (more: Readonly<Record<string, string>> = {}) => {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(TROUPE_|VITEST|NODE_OPTIONS)/.test(name))
  return { ...Object.fromEntries(inherited), NO_COLOR: "1", ADMIN_TOKEN: adminToken, ...more }
}

const runs = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): string => {
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: home,
    env: environment(env),
    encoding: "utf8",
    timeout: 100_000
  })
  assert.strictEqual(status, 0, `${args.join(" ")}\n${stdout}\n${stderr}`)
  return stdout
}

interface Served extends AsyncDisposable {
  readonly url: string
}

/** A program that serves until SIGTERM, which it must take for its end. */
const served = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Promise<Served> => {
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-example-"))
  const child = spawn(process.execPath, args, {
    cwd: home,
    env: environment({ PORT: "0", DATA_DIR: dataDir, TROUPE_DATA_DIR: dataDir, ...env }),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text))
  let output = ""
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      if (/http:\/\/\S+:\d+/.test(output)) resolve()
    })
    child.once("exit", () => resolve())
  })
  const [url] = /http:\/\/[\w.]+:\d+/.exec(output) ?? []
  assert.isDefined(url, `${args.join(" ")}\n${output}\n${errors}`)
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM")
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null]
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
      // Effect's `runMain` ends by the signal's own code.
      assert.isTrue(code === 0 || code === 130 || code === 143, `${args.join(" ")}: ${code ?? signal}\n${errors}`)
    }
  }
}

type Ask = (path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Response>

const asking =
  (
    base: string,
    headers: Readonly<Record<string, string>> = {},
    ask: (request: Request) => Promise<Response> = fetch
  ): Ask =>
  (path, body, more = {}) =>
    ask(
      new Request(`${base}${path}`, {
        headers: { "content-type": "application/json", ...headers, ...more },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
      })
    )

/** A session over HTTP, with a turn that is answered and one that is read along. */
const converses = async (ask: Ask) => {
  const { session_id: id } = (await (await ask("/sessions", { agent: "demo" })).json()) as {
    readonly session_id: string
  }
  assert.match(id, /^ses_/)
  const turn = (await (await ask(`/sessions/${id}/turn`, { prompt: "hello" })).json()) as {
    readonly final_text: string
  }
  assert.strictEqual(turn.final_text, "You said: hello (turn 1)")
  const streamed = await ask(`/sessions/${id}/turn`, { prompt: "slow 3" }, { accept: "text/event-stream" })
  assert.match(await streamed.text(), /word3[\s\S]*event: result\n/)
}

describe("an example", () => {
  it("has the types that are published", () => {
    const { stdout } = spawnSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "."], {
      cwd: home,
      encoding: "utf8"
    })
    assert.strictEqual(stdout, "")
  })

  it("script.ts and remote.ts print the same, in one process and on a server", async () => {
    const here = runs(["script.ts"])
    assert.match(here, /^word1 word2 word3[\s\S]*\? yes\n[\s\S]*1 open: this one\n$/)
    await using server = await served(["server.ts"])
    const admin = asking(server.url, { authorization: `Bearer ${adminToken}` })
    const { token } = (await (await admin("/admin/apps", { name: "desk" })).json()) as { readonly token: string }
    assert.strictEqual(runs(["remote.ts"], { TROUPE_URL: server.url, TROUPE_TOKEN: token }), here)
    assert.strictEqual((await fetch(`${server.url}/inspect/`)).status, 200)
  })

  it("express.ts has the API behind the app's login, and the dashboard", async () => {
    await using server = await served(["express.ts"])
    assert.strictEqual(await (await fetch(server.url)).text(), "The app's own page.")
    assert.strictEqual((await fetch(`${server.url}/agents/sessions`)).status, 401)
    await converses(asking(`${server.url}/agents`, { authorization: "Bearer of-your-own" }))
    assert.strictEqual((await fetch(`${server.url}/operator/inspect/`)).status, 200)
    const login = await asking(`${server.url}/operator`)("/inspect/api/login", { token: adminToken })
    assert.strictEqual(login.status, 200)
  })

  it("fastify.ts has the API", async () => {
    await using server = await served(["fastify.ts"])
    assert.strictEqual(await (await fetch(server.url)).text(), "The app's own page.")
    await converses(asking(`${server.url}/agents`))
  })

  it("effect.ts has the API beside its own route, which uses the same services", async () => {
    await using server = await served(["effect.ts"])
    const own = await fetch(`${server.url}/ask`, { method: "POST" })
    assert.strictEqual(await own.text(), "You said: hello (turn 1)")
    const admin = asking(`${server.url}/agents`, { authorization: `Bearer ${adminToken}` })
    const { token } = (await (await admin("/admin/apps", { name: "desk" })).json()) as { readonly token: string }
    await converses(asking(`${server.url}/agents`, { authorization: `Bearer ${token}` }))
  })

  it("the route of Next.js has the API", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-example-"))
    // As Next.js has it: the module's functions are called with requests.
    const program = `
      import { createServer } from "node:http"
      import { Readable } from "node:stream"
      import { GET, POST } from "./next/agents/[...path]/route.ts"
      const server = createServer(async (incoming, outgoing) => {
        const { headers, method, url } = incoming
        const body = method === "GET" ? undefined : Readable.toWeb(incoming)
        const request = new Request("http://" + headers.host + url, { method, headers, body, duplex: "half" })
        const response = await (method === "GET" ? GET : POST)(request)
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        if (response.body === null) return outgoing.end()
        Readable.fromWeb(response.body).pipe(outgoing)
      })
      server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port))
      process.once("SIGTERM", () => process.exit(0))
    `
    try {
      await using server = await served(["--input-type=module", "-e", program], { DATA_DIR: dataDir })
      await converses(asking(`${server.url}/agents`))
    } finally {
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
    }
  })

  const python = (directory: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
    spawnSync("python3", args, {
      cwd: join(home, directory),
      env: environment({ PYTHONDONTWRITEBYTECODE: "1", ...env }),
      encoding: "utf8",
      timeout: 100_000
    })
  const pytest = (directory: string, env: Readonly<Record<string, string>>, passes: number) => {
    const { status, stderr, stdout } = python(directory, ["-m", "pytest", "-q", "-p", "no:cacheprovider"], env)
    assert.strictEqual(status, 0, stdout + stderr)
    assert.match(stdout, new RegExp(`${passes} passed`))
  }

  it("test_agents.py passes", async (context) => {
    if (python("pytest", ["-c", "import pytest, requests"]).status !== 0) {
      console.log("No python3 with pytest and requests (python3-pytest, python3-requests): going on without.")
      return context.skip()
    }
    await using server = await served(["server.ts"])
    pytest("pytest", { TROUPE_URL: server.url, TROUPE_TOKEN: await tokenAt(server.url) }, 3)
  })

  it("test_openai.py passes", async (context) => {
    if (python("openai", ["-c", "import pytest, openai"]).status !== 0) {
      console.log("No python3 with pytest and openai (pip install openai): going on without.")
      return context.skip()
    }
    const program = join(home, "node_modules", "troupe", "dist", "src", "program", "main.js")
    const env = { TROUPE_AGENTS_API: "true", TROUPE_ADMIN_TOKEN: adminToken }
    await using server = await served([program, "serve", "--port", "0"], env)
    pytest("openai", { TROUPE_URL: server.url, TROUPE_TOKEN: await tokenAt(server.url) }, 8)
  })
})

/** Of a new app. */
const tokenAt = async (url: string): Promise<string> => {
  const admin = asking(url, { authorization: `Bearer ${adminToken}` })
  return ((await (await admin("/admin/apps", { name: "desk" })).json()) as { readonly token: string }).token
}
