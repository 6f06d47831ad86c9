/**
 * What is packed of package.json and README.md: `node scripts/packed.ts write` puts it in their place, `restore` puts the
 * originals back. npm does both around `npm pack` and `npm publish`.
 *
 * A package's scripts are for its checkout: npm asks whoever installs a tarball about a `prepare` in it. And the registry's page
 * has only the README, so its links have to lead to files of the published package.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
/** Holds the originals meanwhile. */
const aside = join(root, ".packing")
const replaced = ["package.json", "README.md"]

interface Manifest {
  readonly name: string
  readonly version: string
  readonly files: ReadonlyArray<string>
  readonly repository?: unknown
}

const write = (): void => {
  restore()
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest & Record<string, unknown>
  mkdirSync(aside)
  for (const file of replaced) copyFileSync(join(root, file), join(aside, file))
  const { allowScripts: _, devDependencies: __, scripts: ___, ...packed } = manifest
  writeFileSync(join(root, "package.json"), `${JSON.stringify(packed, null, 2)}\n`)
  writeFileSync(join(root, "README.md"), withAddresses(readFileSync(join(root, "README.md"), "utf8"), manifest))
}

/** Does nothing where nothing is to be restored: also called before, because an earlier run may have been killed. */
const restore = (): void => {
  if (!existsSync(aside)) return
  for (const file of replaced) if (existsSync(join(aside, file))) renameSync(join(aside, file), join(root, file))
  rmSync(aside, { recursive: true })
}

/** Of the files that are packed whatever `files` says. */
const always = ["LICENSE", "README.md", "package.json"]

/**
 * Links and images that are files of the checkout, as addresses of the same files in the published package; the text alone
 * where the file is not in it. The registry does this by itself for a package that says where its repository is.
 */
const withAddresses = (readme: string, { files, name, repository, version }: Manifest): string => {
  if (repository !== undefined) return readme
  const isPacked = (path: string) =>
    statSync(join(root, path)).isFile() &&
    [...files, ...always].some((packed) => path === packed || path.startsWith(`${packed}/`))
  return readme.replaceAll(
    /(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)/g,
    (_, image: string, text: string, path: string) =>
      isPacked(path) ? `${image}[${text}](https://cdn.jsdelivr.net/npm/${name}@${version}/${path})` : text
  )
}

if (process.argv[2] === "write") write()
else restore()
