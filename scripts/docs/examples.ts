/**
 * The examples of a page, run for real: those in a shell between `<!-- run: npm run readme -->` and `<!-- /run -->` against a
 * server of their own, whose address takes the place of the one that the page names; each `text` block behind one gets
 * what it printed. A test runs them again and compares, but for ids, times and what else differs from run to run.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

const sources = join(import.meta.dirname, "..", "..", "src", "main.ts")
const within = /(<!-- run: npm run readme -->\n)([^]*?)(<!-- \/run -->)/
const block = /```sh\n([^]*?)```(?:\n\n```text\n[^]*?```)?/g

/** The page with what its examples print now. `program` is the file that is run as `troupe`. */
export const withAnswers = async (page: string, program: string = sources): Promise<string> => {
  const [, , part = ""] = within.exec(page) ?? []
  const scripts = [...part.matchAll(block)].map(([, script = ""]) => script)
  const printed = await withServer((url, cwd) => runAll(scripts, url, cwd), program)
  let index = 0
  const answered = part.replaceAll(block, (whole, script: string) => {
    const text = printed[index++] ?? ""
    return whole.includes("```text") ? `\`\`\`sh\n${script}\`\`\`\n\n\`\`\`text\n${text}\n\`\`\`` : whole
  })
  return page.replace(within, (_, begin: string, __, end: string) => begin + answered + end)
}

/** Without what differs from run to run: ids, times, durations. */
export const masked = (page: string): string =>
  page
    .replaceAll(/\b(ses|apr)_[\w-]{20,}/g, "$1_…")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "…")
    .replaceAll(/"(\w+_at|at|duration_ms)":[\d.]+/g, '"$1":…')

const shownAddress = "http://127.0.0.1:8420"
const mark = "-- end of an example --"

/** One shell for all, because a later one uses the variables of those before; what each printed. */
const runAll = async (scripts: ReadonlyArray<string>, url: string, cwd: string): Promise<ReadonlyArray<string>> => {
  const script = scripts.map((each) => `${each.replaceAll(shownAddress, url)}\necho; echo '${mark}'\n`).join("")
  const shell = spawn("bash", ["-eu", "-o", "pipefail", "-c", script], { cwd, stdio: ["ignore", "pipe", "pipe"] })
  const [out, err] = await Promise.all([textOf(shell.stdout), textOf(shell.stderr), ended(shell, 60_000)])
  if (shell.exitCode !== 0) throw new Error(`An example ended with ${shell.exitCode}:\n${out}\n${err}`)
  return out.split(mark).map((text) => text.replaceAll(url, shownAddress).trim())
}

const textOf = async (stream: NodeJS.ReadableStream): Promise<string> => {
  let text = ""
  for await (const chunk of stream.setEncoding("utf8")) text += String(chunk)
  return text
}

type Child = ReturnType<typeof spawn>

const ended = async (child: Child, withinMillis: number): Promise<void> => {
  const deadline = setTimeout(() => child.kill("SIGKILL"), withinMillis)
  if (child.exitCode === null && child.signalCode === null) await once(child, "close")
  clearTimeout(deadline)
}

/** A server with its data dir in a directory of its own, as one gets it by `troupe serve` there. */
export const withServer = async <A>(
  use: (url: string, cwd: string) => Promise<A>,
  program: string = sources
): Promise<A> => {
  const cwd = mkdtempSync(join(tmpdir(), "troupe-docs-"))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TROUPE_")))
  const server = spawn(process.execPath, [program, "serve", "--port", "0", "--log-level", "none"], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "inherit"]
  })
  try {
    return await use(await addressOf(server), cwd)
  } finally {
    server.kill("SIGTERM")
    await ended(server, 30_000)
    rmSync(cwd, { recursive: true, force: true })
  }
}

const addressOf = (server: Child): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ""
    const deadline = setTimeout(() => reject(new Error(`The server did not start within 60 s:\n${said}`)), 60_000)
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said += text
      const [, url] = /listens on (http:\S+)[^]*curl/.exec(said) ?? []
      if (url === undefined) return
      clearTimeout(deadline)
      resolve(url)
    })
    server.once("exit", (code) => reject(new Error(`The server ended with ${code}:\n${said}`)))
  })
