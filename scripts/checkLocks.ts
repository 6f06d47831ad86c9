/**
 * `node scripts/checkLocks.ts`, a part of `npm run check`: whether the lock files have what `lockProblems.ts` asks for.
 * With `--audit` (`npm run audit`) it also asks the registry for known vulnerabilities of what an installation has.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import manifest from "../package.json" with { type: "json" }
import { licenses, lockProblems } from "./lockProblems.ts"
import type { LockPolicy } from "./lockProblems.ts"

const root = join(import.meta.dirname, "..")

const policies: Readonly<Record<string, LockPolicy>> = {
  // npm itself runs the scripts of those only that are `true` there.
  ".": { installScripts: Object.keys(manifest.allowScripts), licenses },
  // Installed with `--ignore-scripts` (test/real/install.ts), and never shipped.
  "test/real": {
    installScripts: ["@anthropic-ai/claude-code", "@github/keytar", "esbuild", "node-pty", "opencode-ai"],
    licenses: null
  },
  // Installed with `--ignore-scripts` (test/openapi/install.ts), and never shipped.
  "test/openapi": { installScripts: [], licenses: null },
  // Installed with `--ignore-scripts` (test/webhooks/verifier.ts), and never shipped.
  "test/webhooks": { installScripts: [], licenses: null },
  // Installed with `--ignore-scripts` (test/doors/agui/client.ts), and never shipped.
  "test/doors/agui": { installScripts: [], licenses: null },
  // Installed with `--ignore-scripts` (test/package/pack.ts), and never shipped.
  "test/package/tools": { installScripts: ["esbuild"], licenses: null },
  // Installed with `--ignore-scripts` (test/examples/install.ts), and never shipped.
  examples: { installScripts: [], licenses: null },
  // Installed with `--ignore-scripts` (bench/peers/SandboxAgent.ts), and never shipped.
  "bench/peers": {
    installScripts: ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"].map((on) => `@sandbox-agent/cli-${on}`),
    licenses: null
  },
  // Installed with `--ignore-scripts` (scripts/docs/site.ts), and never shipped.
  "docs/site": { installScripts: ["esbuild", "fsevents"], licenses: null }
}

const jsonIn = (...path: ReadonlyArray<string>) => JSON.parse(readFileSync(join(root, ...path), "utf8"))

const checkLocks = (): number => {
  const problems = Object.entries(policies).flatMap(([folder, policy]) =>
    lockProblems(jsonIn(folder, "package-lock.json"), jsonIn(folder, "package.json"), policy).map(
      (problem) => `${join(folder, "package-lock.json")}: ${problem}`
    )
  )
  for (const problem of problems) console.error(problem)
  return problems.length === 0 ? 0 : 1
}

interface Report {
  readonly message?: string
  readonly error?: { readonly summary?: string }
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> }
}

/** Fails for a vulnerability of any severity. A registry that can't say is no failure, and is named. */
const audit = (): number => {
  const options = ["--omit=dev", "--package-lock-only", "--json", "--fetch-retries=0", "--fetch-timeout=20000"]
  const { stderr, stdout } = spawnSync("npm", ["audit", ...options], { cwd: root, encoding: "utf8", timeout: 60_000 })
  const report = parsed(stdout)
  const found = report.metadata?.vulnerabilities
  if (found === undefined) {
    const [why = "no answer"] = (report.message ?? report.error?.summary ?? stderr).trim().split("\n")
    console.log(`NOT AUDITED: this registry does not say which vulnerabilities are known (${why}).`)
    return 0
  }
  if (found["total"] === 0) {
    console.log("Audited: no vulnerability is known of what an installation has.")
    return 0
  }
  console.error(
    spawnSync("npm", ["audit", "--omit=dev", "--package-lock-only"], { cwd: root, encoding: "utf8" }).stdout
  )
  return 1
}

const parsed = (text: string): Report => {
  try {
    return JSON.parse(text) as Report
  } catch {
    return {}
  }
}

process.exitCode = Math.max(checkLocks(), process.argv.includes("--audit") ? audit() : 0)
