/**
 * `npm run lock`: puts back into package-lock.json what npm leaves out of it, also into those of the smaller packages in this checkout.
 *
 * A package for another platform that npm could not look at while it wrote the lock is left out, and `npm ci` then
 * refuses the lock as incomplete, on every platform (npm's issue 4828). The packages that want them say their exact
 * versions, and by a common custom their names say the platform. Run it after `npm install`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Locked {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** `…-linux-arm64-musl`: what stands behind the last slash and the package's own name, in this order. */
const platform =
  /-(darwin|linux|win32|windows|android|freebsd|openbsd|netbsd|openharmony|sunos|aix)-([a-z0-9]+)(?:-baseline)?(?:-([a-z]+))?$/

const libcOf = (abi: string | undefined) =>
  abi?.startsWith("musl") ? ["musl"] : abi?.startsWith("gnu") ? ["glibc"] : undefined

/** Gives the names of the packages that were put back. */
const complete = (file: string): ReadonlyArray<string> => {
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, object> }
  const added: Array<string> = []
  for (const { dev, optionalDependencies } of Object.values(lock.packages) as ReadonlyArray<Locked>) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      const [, os, cpu, abi] = platform.exec(name) ?? []
      const path = `node_modules/${name}`
      // A range has no version to put down; npm itself must find it.
      if (os === undefined || cpu === undefined || path in lock.packages || !/^\d+\.\d+\.\d+/.test(version)) continue
      const libc = os === "linux" ? libcOf(abi) : undefined
      lock.packages[path] = {
        version,
        cpu: [cpu],
        ...(dev === true ? { dev } : {}),
        ...(libc === undefined ? {} : { libc }),
        optional: true,
        os: [os === "windows" ? "win32" : os]
      }
      added.push(name)
    }
  }

  // In npm's own order, so that its next writing shows what it changed.
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en"))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
  return added
}

const root = join(import.meta.dirname, "..")
const added = [
  "",
  "test/real",
  "test/openapi",
  "test/webhooks",
  "test/doors/agui",
  "test/package/tools",
  "bench/peers",
  "docs/site",
  "examples"
].flatMap((folder) => complete(join(root, folder, "package-lock.json")))
console.log(added.length === 0 ? "The locks are complete." : `Put back: ${added.join(", ")}`)
