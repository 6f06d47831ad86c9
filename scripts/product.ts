/** A product in dist/ that is built from sources: whether it is up to date, and how a new one takes its place. */
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import process from "node:process"

export const root = join(import.meta.dirname, "..")

/** Names the sources that a product was built from. */
const stamp = "sources.sha256"

export interface Product {
  /** Where it is to be built: beside its place, because the old one may be in use, and two may build at once. */
  readonly fresh: string
  /** Moves it to its place when it is whole, and prints what was built. */
  readonly publish: (what: string) => void
}

/** Exits where `--if-stale` is asked for and nothing has changed since it was built. */
export const productOf = (
  target: string,
  patterns: ReadonlyArray<string>,
  exclude: ReadonlyArray<string> = []
): Product => {
  const sources = createHash("sha256")
  for (const file of globSync(patterns, { cwd: root, exclude }).toSorted()) {
    sources.update(`${file}\n`).update(readFileSync(join(root, file)))
  }
  const wanted = sources.digest("hex")
  const isBuilt = existsSync(join(target, stamp)) && readFileSync(join(target, stamp), "utf8") === wanted
  if (process.argv.includes("--if-stale") && isBuilt) process.exit(0)

  const started = performance.now()
  const fresh = join(root, "dist", `${relative(dirname(target), target)}.${process.pid}`)
  process.on("exit", () => rmSync(fresh, { recursive: true, force: true }))
  return {
    fresh,
    publish: (what) => {
      writeFileSync(join(fresh, stamp), wanted)
      mkdirSync(dirname(target), { recursive: true })
      const old = `${fresh}.old`
      if (existsSync(target)) renameSync(target, old)
      renameSync(fresh, target)
      rmSync(old, { recursive: true, force: true })
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${relative(root, target)}: ${what} (${seconds} s)`)
    }
  }
}
