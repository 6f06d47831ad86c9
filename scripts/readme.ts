/**
 * `npm run readme`: brings the transcripts of `troupe demo` and `troupe chat` in README.md up to date, which are run for it, and what the
 * examples of docs/quick-start.md and docs/http.md print; a test runs these again.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { withAnswers } from "./docs/examples.ts"

const root = join(import.meta.dirname, "..")
const readme = join(root, "README.md")

const troupe = (...args: ReadonlyArray<string>) =>
  execFileSync(process.execPath, [join(root, "src", "main.ts"), ...args], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" }
  }).trim()

/** What a person does in the chat of the README, each when the agent has come so far. */
const doings: ReadonlyArray<readonly [RegExp, string | NodeJS.Signals]> = [
  [/^Ctrl-C/m, 'ask-tool echo "# Notes" | tee notes.md\n'],
  [/details › $/, "y\n"],
  [/✓[^]*\n\n$/, "ask-tool rm -r notes.md\n"],
  [/details › $/, "n\n"],
  [/client said[^]*\n\n$/, "slow 500 60\n"],
  [/word12/, "SIGINT"],
  [/interrupted\n\n$/, "recall\n"]
]

/** Without a terminal a chat says the same, and can be waited for. */
const chat = async (): Promise<string> => {
  const cwd = mkdtempSync(join(tmpdir(), "troupe-readme-"))
  const child = spawn(process.execPath, [join(root, "src", "main.ts"), "chat", "--agent", "demo"], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", XDG_DATA_HOME: join(cwd, "data") },
    stdio: ["pipe", "pipe", "inherit"]
  })
  const left = [...doings]
  let said = ""
  let from = 0
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk
    const [awaited, doing] = left[0] ?? []
    if (awaited === undefined || doing === undefined || !awaited.test(said.slice(from))) return
    left.shift()
    from = said.length
    if (doing === "SIGINT") child.kill(doing)
    else child.stdin.write(doing)
    if (left.length === 0) child.stdin.end()
  })
  const deadline = setTimeout(() => child.kill("SIGTERM"), 60_000)
  const [code] = await once(child, "close")
  clearTimeout(deadline)
  rmSync(cwd, { recursive: true, force: true })
  if (code !== 0 || left.length > 0) throw new Error(`The chat ended with ${code}, before ${left[0]?.[0]}:\n${said}`)
  return said.trim()
}

const put = (text: string, name: string, content: string): string => {
  const open = `<!-- ${name}: npm run readme -->\n`
  const start = text.indexOf(open)
  const end = text.indexOf(`<!-- /${name} -->`)
  if (start < 0 || end < start) throw new Error(`README.md has no place for ${name}: it is marked by ${open}`)
  return `${text.slice(0, start + open.length)}\n${content}\n\n${text.slice(end)}`
}

const fenced = (language: string, content: string) => `\`\`\`${language}\n${content}\n\`\`\``

const before = readFileSync(readme, "utf8")
const withDemo = put(before, "demo", fenced("text", `$ troupe demo\n\n${troupe("demo")}`))
const withChat = put(withDemo, "chat", fenced("text", `$ troupe chat --agent demo\n${await chat()}`))
writeFileSync(readme, withChat)

for (const name of ["quick-start.md", "http.md"]) {
  const page = join(root, "docs", name)
  writeFileSync(page, await withAnswers(readFileSync(page, "utf8")))
}
