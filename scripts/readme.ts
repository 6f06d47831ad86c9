/**
 * `npm run readme`: brings what is generated in README.md up to date, the chart of the session machine and a transcript
 * of `troupe demo`, which is run for it. A test holds the chart to the machine.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const readme = join(root, "README.md")

const troupe = (...args: ReadonlyArray<string>) =>
  execFileSync(process.execPath, [join(root, "src", "main.ts"), ...args], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" }
  }).trim()

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
writeFileSync(readme, put(withDemo, "chart", fenced("mermaid", troupe("machines", "session"))))
