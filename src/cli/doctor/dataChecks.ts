/** What `troupe doctor --data` says of a data dir that was restored, or of a copy of a ledger: whether all is there. */
import { Effect } from "effect"
import { existsSync, statSync } from "node:fs"
import { join, resolve, sep } from "node:path"
import { adminTokenFile, ledgerFile } from "../../dataDir.ts"
import { ledgerContents, ledgerDamage } from "../../wiring.ts"
import type { LedgerContents } from "../../wiring.ts"
import { ok, unless } from "./checks.ts"
import type { Check } from "./checks.ts"

/** `path`: a data dir, or a ledger's file alone. */
export const dataChecks = Effect.fnUntraced(function* (path: string): Effect.fn.Return<ReadonlyArray<Check>> {
  const place = resolve(path)
  const isDirectory = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
  const file = isDirectory ? ledgerFile(place) : place
  if (!existsSync(file)) return [unless(false, "ledger", `${file} is not there`, "Put the copy of the ledger there.")]
  const damage = yield* ledgerDamage(file)
  if (damage !== null) return [unless(false, "ledger", damage, "Restore it from an earlier copy.")]
  return yield* ledgerContents(file).pipe(
    Effect.map((contents) => [
      ok("ledger", `whole: ${contents.sessions} sessions, ${contents.openSessions} open, ${contents.turns} turns`),
      schemaCheck(contents),
      ...(isDirectory ? besideChecks(place, contents) : [])
    ]),
    Effect.catchTag("LedgerUnusable", ({ problem, remedy }) =>
      Effect.succeed([unless(false, "ledger", problem, remedy)])
    )
  )
})

const schemaCheck = ({ latestVersion, version }: LedgerContents) =>
  unless(
    version <= latestVersion,
    "schema",
    version < latestVersion ? `version ${version}; the next start brings it to ${latestVersion}` : `version ${version}`,
    `This Troupe knows versions up to ${latestVersion}: use the version that wrote it, or a newer one.`
  )

/** The ledger has paths as they were: they lead there again only where the data dir is where it was. */
const besideChecks = (dataDir: string, { files, workDirectories }: LedgerContents): ReadonlyArray<Check> => {
  const stored = [...files.map(({ path }) => path), ...workDirectories]
  const elsewhere = stored.filter((path) => !path.startsWith(dataDir + sep))
  const missingFiles = files.filter(({ path, size }) => {
    const found = statSync(underIn(dataDir, "files", path), { throwIfNoEntry: false })
    return found === undefined || found.size !== size
  })
  const missingDirectories = workDirectories.filter((path) => !existsSync(underIn(dataDir, "sessions", path)))
  return [
    unless(
      elsewhere.length === 0,
      "place",
      elsewhere.length === 0
        ? "where the ledger's paths lead"
        : `${elsewhere.length} paths lead elsewhere: ${elsewhere[0]}`,
      "Put the data dir back to the path that it had: prompts name uploaded files by it, and sessions work in it.",
      "warn"
    ),
    unless(
      missingFiles.length === 0,
      "files",
      missingFiles.length === 0
        ? `all ${files.length} uploads are there`
        : `${missingFiles.length} of ${files.length} uploads are missing or cut: ${missingFiles[0]?.path}`,
      "Put files/ of the data dir back as it was at the time of the copy, or later."
    ),
    unless(
      missingDirectories.length === 0,
      "directories",
      missingDirectories.length === 0
        ? "those of all open sessions are there"
        : `those of ${missingDirectories.length} open sessions are missing: ${missingDirectories[0]}`,
      "Put sessions/ of the data dir back: their agents would begin in empty directories.",
      "warn"
    ),
    unless(
      existsSync(join(dataDir, adminTokenFile)),
      "admin token",
      existsSync(join(dataDir, adminTokenFile)) ? "there" : "none",
      `The next start makes a new ${adminTokenFile}, unless TROUPE_ADMIN_TOKEN is set; apps keep their tokens.`,
      "warn"
    )
  ]
}

/** A stored path as it is in this data dir: what follows the last `files/` or `sessions/` of the data dir that it was in. */
const underIn = (dataDir: string, folder: "files" | "sessions", path: string): string => {
  const parts = path.split(sep)
  const depth = folder === "files" ? 3 : 1
  return join(dataDir, folder, ...parts.slice(-depth))
}
