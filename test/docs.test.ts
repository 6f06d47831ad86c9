/** The pages of docs/ say what is so: generated parts, links, commands, settings, metrics and messages are the program's. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { outdated } from "../scripts/docs.ts"
import { samples } from "../scripts/docs/metrics.ts"
import { commands } from "../src/cli/cli.ts"
import { names, variableOf } from "../src/configuration/keys.ts"

const root = join(import.meta.dirname, "..")
const docs = join(root, "docs")
const pages = readdirSync(docs)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, file: join(docs, name), text: readFileSync(join(docs, name), "utf8") }))
const texts = [...pages, { name: "README.md of the root", text: readFileSync(join(root, "README.md"), "utf8") }]

/** As GitHub and VitePress make it of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[`*_]|\[|\]\([^)]*\)/g, "")
    .replaceAll(/[^\p{Letter}\p{Number} -]/gu, "")
    .trim()
    .replaceAll(" ", "-")

const anchorsOf = (text: string) => [
  ...[...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading)),
  ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)
]

/** Names of Troupe's own that are no setting of the configuration. */
const otherVariables = new Set(["TROUPE_URL", "TROUPE_TOKEN", "TROUPE_LEASE"])

describe("docs", () => {
  it("have what the program says of itself: `npm run docs` brings them up to date", () => {
    assert.deepStrictEqual(outdated(), [])
  })

  it("link to pages, headings and files that there are", () => {
    const dead = pages.flatMap(({ file, name, text }) =>
      [...text.matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
        const [path = "", anchor] = link.split("#")
        const target = path === "" ? file : resolve(dirname(file), path)
        const isThere =
          existsSync(target) && (anchor === undefined || anchorsOf(readFileSync(target, "utf8")).includes(anchor))
        return isThere ? [] : [`${name}: ${link}`]
      })
    )
    assert.deepStrictEqual(dead, [])
  })

  it("name settings that there are", () => {
    const known = new Set([...names.map(variableOf), ...otherVariables])
    const unknown = texts.flatMap(({ name, text }) =>
      [...text.matchAll(/\bTROUPE_[A-Z_]*[A-Z]\b/g)].flatMap(([variable]) =>
        known.has(variable) ? [] : [`${name}: ${variable}`]
      )
    )
    assert.deepStrictEqual(unknown, [])
  })

  it("name commands and flags that there are", async () => {
    const all = await knownCommands()
    const wrong = texts.flatMap(({ name, text }) =>
      mentionsOf(text).flatMap((words) => problemsOf(all, words).map((problem) => `${name}: troupe ${problem}`))
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("give Prometheus rules, and Grafana a dashboard, on metrics that there are", () => {
    const folder = join(root, "observability")
    const rules = readFileSync(join(folder, "troupe.rules.yml"), "utf8")
    const dashboard = readFileSync(join(folder, "troupe.dashboard.json"), "utf8")
    const named = [
      ...new Set([...(rules + dashboard).matchAll(/\b(troupe|process|nodejs)_\w+/g)].map(([name]) => name))
    ]
    assert.isAbove(named.length, 30)
    assert.deepStrictEqual(
      named.filter((name) => !samples.has(name)),
      []
    )
    const page = readFileSync(join(docs, "metrics.md"), "utf8")
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, alert = ""]) => alert)
    assert.deepStrictEqual(
      [...page.matchAll(/^\| `(Troupe\w+)`/gm)].map(([, alert = ""]) => alert),
      alerts
    )
  })

  it("quote messages that the program has", () => {
    const page = readFileSync(join(docs, "troubleshooting.md"), "utf8")
    const source = ["src", "machines"]
      .flatMap((area) =>
        readdirSync(join(root, area), { recursive: true, encoding: "utf8" }).map((file) => join(area, file))
      )
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(root, file), "utf8").replaceAll("\\`", "`"))
      .join("\n")
    const quoted = [...page.matchAll(/```text\n([^]*?)\n```/g)].map(([, message = ""]) => message)
    assert.isAbove(quoted.length, 10)
    const pieces = quoted.flatMap((message) => message.split("…")).map((piece) => piece.trim())
    assert.deepStrictEqual(
      pieces.filter((piece) => piece.length > 3 && !source.includes(piece)),
      []
    )
  })
})

interface Known {
  readonly flags: ReadonlySet<string>
  readonly within: Readonly<Record<string, Known>>
}

/** What is read of a command of `effect/cli`. */
interface CommandParts {
  readonly name: string
  readonly subcommands: ReadonlyArray<{ readonly commands: ReadonlyArray<CommandParts> }>
  readonly config: { readonly flags: ReadonlyArray<Param> }
}
type Param = { readonly name?: string; readonly param?: Param }

const knownOf = (command: CommandParts): Known => ({
  flags: new Set(command.config.flags.map(nameOf)),
  within: Object.fromEntries(
    command.subcommands.flatMap(({ commands }) => commands).map((each) => [each.name, knownOf(each)])
  )
})

const nameOf = (flag: Param): string => flag.name ?? (flag.param === undefined ? "" : nameOf(flag.param))

const knownCommands = async (): Promise<Known> => {
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [name, knownOf((await load()) as never)] as const)
  )
  return { flags: new Set(["help", "version", "completions"]), within: Object.fromEntries(loaded) }
}

/** The words behind `troupe` in code of a line, and in blocks of a shell. */
const mentionsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = ""]) => block.split("\n"))
  const spans = [...text.replaceAll(/```[^]*?```/g, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span)
  return [...blocks, ...spans].flatMap((line) => {
    const [, words] = /^(?:[A-Z_]+=\S+ )*troupe ([a-z-][^|>#&;]*)/.exec(line.trim()) ?? []
    return words === undefined ? [] : [words.trim().split(/\s+/)]
  })
}

/** Another name of a command. */
const aliases: Readonly<Record<string, string>> = { ls: "list" }

const problemsOf = (known: Known, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  let at = known
  let rest = words
  while (rest[0] !== undefined && Object.keys(at.within).length > 0 && !rest[0].startsWith("-")) {
    const next = at.within[aliases[rest[0]] ?? rest[0]]
    if (next === undefined) return [words.join(" ")]
    at = next
    rest = rest.slice(1)
  }
  const flags = rest.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split("=")[0] ?? "")
  return flags.some((flag) => !at.flags.has(flag) && !known.flags.has(flag)) ? [words.join(" ")] : []
}
