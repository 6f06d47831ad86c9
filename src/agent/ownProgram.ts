/** Where Troupe's own programs are, which run as processes of their own: the demo agent and the warden. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import process from "node:process"
import { carriedPrograms } from "./carriedPrograms.ts"

/** A bundle in CommonJS does not know its own place. */
const here = import.meta.dirname as string | undefined
const ending = extname((import.meta.filename as string | undefined) ?? ".js")

/**
 * Its file: beside this one as source, built, or in the program's bundle. An app that is bundled into one file has none there,
 * and carries the program as text, which is written to a directory of this process's own.
 */
export const ownProgram = (name: "demo" | "warden"): string => {
  const beside = here === undefined ? undefined : join(here, name, `main${ending}`)
  if (beside !== undefined && existsSync(beside)) return beside
  return written.get(name) ?? write(name) ?? beside ?? join(name, "main.js")
}

const written = new Map<string, string>()
let directory: string | undefined

/** `undefined`: it is not carried, or can't be written; who starts it finds no file then, and says so. */
const write = (name: "demo" | "warden"): string | undefined => {
  if (carriedPrograms === null) return undefined
  try {
    directory ??= temporary()
    const file = join(directory, `${name}.mjs`)
    writeFileSync(file, carriedPrograms[name], { mode: 0o600 })
    written.set(name, file)
    return file
  } catch {
    return undefined
  }
}

const temporary = (): string => {
  const made = mkdtempSync(join(tmpdir(), "troupe-programs-"))
  process.once("exit", () => rmSync(made, { recursive: true, force: true }))
  return made
}
