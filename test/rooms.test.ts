/**
 * The architecture, kept: which room may look into which, and which packages each may touch.
 *
 * The arrows point down only. Packages are listed by what they let in: processes, SQL, a second state machine.
 */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

const base = ["machines", "src/conversation", "src/agent", "src/ledger", "src/domain"]
/** The runtime's own areas, lowest first: each may look into those before it. */
const layers = ["src/runtime", "src/review", "src/session", "src/supervision", "src/cluster", "src/services"]
const below = [...layers, ...base]
/** What HTTP, the promises and the command line may import of the runtime: its services, and the domain. */
const callable = ["src/services", "src/domain"]

/** Each area, and the areas that it may import besides itself. The files of `src` itself are the composition root. */
const rooms: Readonly<Record<string, ReadonlyArray<string>>> = {
  machines: ["src/domain"],
  "src/domain": [],
  "src/ledger": ["src/domain"],
  "src/agent": ["src/domain"],
  "src/conversation": ["src/domain"],
  "src/runtime": base,
  "src/review": [...base, "src/runtime"],
  "src/session": [...base, ...layers.slice(0, 2)],
  "src/supervision": [...base, ...layers.slice(0, 3)],
  "src/cluster": [...base, ...layers.slice(0, 4)],
  "src/services": [...base, ...layers.slice(0, 5)],
  "src/http": [...callable, "src/cluster"],
  // A search at the server reads a transcript as the page does.
  "src/inspect": ["src/services", "src/http", "src/domain", "src/inspect/client", "machines"],
  // What the page and `troupe top` do alike, with nothing in it of a browser or of Node. `shared` adds to both.
  "src/inspect/client": ["machines"],
  // Runs in a browser.
  "src/inspect/page": ["machines", "src/inspect/client"],
  "src/backend": [...callable, "src/http"],
  "src/doors": [...callable, "src/backend", "src/conversation", "src/http"],
  src: ["src/configuration", "src/doors", "src/http", "src/inspect", ...below],
  "src/configuration": [...callable, "machines"],
  "src/promise": [...callable, "src/backend", "src/configuration", "src/doors", "src/http", "src/inspect"],
  "src/cli": [
    ...callable,
    "src/backend",
    "src/configuration",
    "src/doors",
    "src/http",
    "src/inspect",
    "src/inspect/client",
    "machines"
  ]
}

/** Single files of another area: without anything of Node or of a browser, or those by which a runtime is opened. */
const shared: Readonly<Record<string, RegExp>> = {
  "src/inspect/client":
    /^src\/(inspect\/(contract\.ts$|sessionContract\.ts$|fleetContract\.ts$|chart\/)|domain\/(cut|unsafeCharacters)\.ts$)/,
  "src/inspect/page":
    /^src\/inspect\/(contract\.ts$|sessionContract\.ts$|fleetContract\.ts$|chart\/|detail\/budget\.ts$)/,
  "src/promise": /^src\/(wiring|needsNode)\.ts$/,
  "src/configuration": /^src\/wiring\.ts$/,
  "src/cli": /^src\/(wiring|dataDir)\.ts$/
}

/** Stands above the command line. */
const program = "src/main.ts"

/** What a room may import from outside, where that is a short list. */
const only: Readonly<Record<string, RegExp>> = {
  machines: /^xstate(\/|$)/,
  "src/domain": /^effect(\/|$)/,
  "src/inspect/client": /^none$/,
  "src/inspect/page":
    /^(preact|@preact\/signals|@tanstack\/virtual-core|diff|marked|xstate)(\/|$)|^virtual:chart-layout$/
}

/** What nobody may import, but the rooms and the files that are named. */
const closed: ReadonlyArray<{ readonly what: RegExp; readonly but: ReadonlyArray<string> }> = [
  { what: /^(node:)?child_process$|^effect\/process$/, but: ["src/agent", "src/cli/openBrowser.ts"] },
  { what: /^(node:)?sqlite$|^effect\/sql$|^@effect\/sql/, but: ["src/ledger"] },
  { what: /^xstate(\/|$)/, but: ["machines", "src/services", "src/inspect", "src/inspect/page"] },
  { what: /^(@?preact|@tanstack|diff|marked)(\/|$)/, but: ["src/inspect/page"] },
  // A chart is placed when the page is built.
  { what: /^elkjs(\/|$)/, but: [] },
  {
    what: /^effect\/(http|http-api)$|^(node:)?https?$/,
    but: ["src/http", "src/backend", "src/doors", "src/inspect", "src/cli", "src/promise", "src/cluster", "src"]
  },
  { what: /^@modelcontextprotocol\//, but: ["src/doors"] },
  { what: /^@agentclientprotocol\//, but: ["src/doors", "src/cli/commands/acp.ts"] },
  { what: /^effect\/cli$/, but: ["src/cli"] }
]

/**
 * What holds the state of sessions, or acts on their processes: nothing above `SessionHost` may import it, because a session
 * may live on another machine.
 */
const belowTheLine = /^src\/(supervision\/(Supervisor|AgentCommandHandler|AgentProcesses)|session\/(?!Envelope\.ts))/
/** What is this process's own and no session's: how it is composed, how it drains, what it counts, what mirrors its actors. */
const mayLookBelow: ReadonlySet<string> = new Set([
  "src/services/layer.ts",
  "src/services/Operator.ts",
  "src/services/SessionActorRefs.ts",
  "src/services/inspection/observeCommits.ts"
])

const root = join(import.meta.dirname, "..")
const files = globSync("{machines,src}/**/*.{ts,tsx}", { cwd: root })

const roomOf = (file: string): string => {
  const within = /^src\/(?:inspect\/(?:client|page)(?=\/)|promise(?=\.ts$))/.exec(file)
  if (within !== null) return within[0]
  const [top = "", sub = "", ...rest] = file.split("/")
  return top === "src" && rest.length > 0 ? `src/${sub}` : top
}

const importsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(root, file), "utf8").matchAll(/(?:^import |\bfrom |\bimport\()"([^"]+)"/gm)].map(
    ([, from]) => from ?? ""
  )

const wrongIn = (file: string): ReadonlyArray<string> => {
  const room = roomOf(file)
  const open = rooms[room]
  if (open === undefined) return [`${room} is no room of the architecture: name it in this test`]
  return importsOf(file).flatMap((from) => {
    if (!from.startsWith(".")) {
      const foreign = closed.some(({ but, what }) => what.test(from) && !but.includes(room) && !but.includes(file))
      return foreign || only[room]?.test(from) === false ? [`${room} may not import the package ${from}`] : []
    }
    // The package's own manifest, for its version.
    if (from.endsWith("/package.json")) return []
    const path = normalize(join(dirname(file), from))
    const target = roomOf(path)
    const allowed = target === room || open.includes(target) || file === program || shared[room]?.test(path) === true
    return allowed ? [] : [`${room} may not look into ${target} (${from})`]
  })
}

const importedFiles = (file: string): ReadonlyArray<string> =>
  importsOf(file)
    .filter((from) => from.startsWith("."))
    .map((from) => normalize(join(dirname(file), from)))

/** The strongly connected components of more than one file, by Tarjan's algorithm. Imports of types count. */
const circlesIn = (imports: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: Array<string> = []
  const circles: Array<ReadonlyArray<string>> = []
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) {
        visit(next)
        low.set(file, Math.min(low.get(file)!, low.get(next)!))
      } else if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, index.get(next)!))
    }
    if (low.get(file) !== index.get(file)) return
    const component = stack.splice(stack.indexOf(file))
    if (component.length > 1) circles.push(component.toSorted())
  }
  for (const file of imports.keys()) if (!index.has(file)) visit(file)
  return circles
}

describe("rooms", () => {
  it("finds the sources", () => {
    assert.isAbove(files.length, 50)
  })

  it.each(files)("%s looks only where its room may look", (file) => {
    assert.deepStrictEqual(wrongIn(file), [])
  })

  it.each(files.filter((file) => file.startsWith("machines/")))("%s takes types alone of the domain", (file) => {
    const values = readFileSync(join(root, file), "utf8").match(/^(?:import|export) (?!type).*"[./]+\/src\/.*"$/gm)
    assert.deepStrictEqual(values ?? [], [])
  })

  it.each(files.filter((file) => file.startsWith("src/services/") && !mayLookBelow.has(file)))(
    "%s asks sessions by messages",
    (file) => {
      assert.deepStrictEqual(
        importedFiles(file).filter((path) => belowTheLine.test(path)),
        []
      )
    }
  )

  it("draws no circle, neither between files of one area nor across areas", () => {
    assert.deepStrictEqual(circlesIn(new Map(files.map((file) => [file, importedFiles(file)]))), [])
  })

  it("finds a circle where there is one", () => {
    const circles = circlesIn(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["a", "b"]],
        ["d", ["a"]]
      ])
    )
    assert.deepStrictEqual(circles, [["a", "b", "c"]])
  })

  it("finds an arrow that points up, and a package that is closed", () => {
    assert.include(importsOf("src/main.ts").join(), "./cli/")
    assert.isFalse(rooms["src/session"]?.includes("src/http") ?? true)
    assert.isTrue(closed[0]?.what.test("node:child_process"))
  })
})
