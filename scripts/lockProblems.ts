/**
 * What is wrong with a lock file, as sentences: a package that does not come from the registry, or without the hash of its
 * content, an install script or a licence that nobody has looked at, a version that package.json leaves open.
 *
 * Everything is read from the two files, so the check needs no network.
 */

interface LockedPackage {
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface Lock {
  readonly lockfileVersion: number
  readonly packages: Readonly<Record<string, LockedPackage>>
}

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface LockPolicy {
  /** Packages whose install script was read, whether it runs or not. */
  readonly installScripts: ReadonlyArray<string>
  /** Licences of what an installation of Troupe has, and of what builds and tests it; `null`: they are not checked. */
  readonly licenses: { readonly installed: ReadonlySet<string>; readonly development: ReadonlySet<string> } | null
}

const permissive = ["MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BlueOak-1.0.0"]

export const licenses = {
  installed: new Set(permissive),
  // jszip and pako (of acpx), lightningcss (of vite), elkjs (draws the chart while the page is built): none is shipped.
  development: new Set([
    ...permissive,
    "(MIT OR GPL-3.0-or-later)",
    "(MIT AND Zlib)",
    "MPL-2.0",
    "EPL-2.0 OR GPL-3.0-or-later"
  ])
}

const exactVersion = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/

export const lockProblems = (
  lock: Lock,
  manifest: Manifest,
  { installScripts, licenses }: LockPolicy
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  if (lock.lockfileVersion !== 3) problems.push(`its format is ${lock.lockfileVersion}, and not 3`)

  const root = lock.packages[""]
  for (const kind of ["dependencies", "devDependencies"] as const) {
    if (!isSame(manifest[kind] ?? {}, root?.[kind] ?? {}))
      problems.push(`its ${kind} are not those of package.json: run npm install`)
    for (const [name, version] of Object.entries(manifest[kind] ?? {}))
      if (!exactVersion.test(version)) problems.push(`${name}: package.json has ${version}, and not one exact version`)
  }

  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === "") continue
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
    const problem = (text: string) => problems.push(`${path}: ${text}`)

    // npm omits the address of what comes from the configured registry; git, files and other servers are written down.
    if (entry.resolved !== undefined || entry.link === true)
      problem(`comes from ${entry.resolved ?? "a link"}, and not from the registry`)
    if (entry.name !== undefined && !(`node_modules/${entry.name}` in lock.packages))
      problem(`is another package under this name: ${entry.name}`)
    if (entry.version === undefined || !exactVersion.test(entry.version)) problem("has no exact version")

    // What npm left out for other platforms and `npm run lock` put back has neither a hash nor a licence.
    const isOfPlatform = entry.optional === true && entry.os !== undefined
    if (entry.integrity === undefined ? !isOfPlatform : !entry.integrity.startsWith("sha512-"))
      problem("has no SHA-512 of its content")

    if (entry.hasInstallScript === true && !installScripts.includes(name))
      problem("has an install script that nobody has looked at")

    if (licenses === null || (isOfPlatform && entry.license === undefined)) continue
    const allowed = entry.dev === true ? licenses.development : licenses.installed
    if (entry.license === undefined || !allowed.has(entry.license))
      problem(`has a licence that nobody has looked at: ${entry.license ?? "none"}`)
  }
  return problems
}

const isSame = (left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(left).toSorted()) === JSON.stringify(Object.entries(right).toSorted())
