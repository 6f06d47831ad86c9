/** The check of the lock files: each kind of fault, planted into a lock that has none. */
import { assert, it } from "@effect/vitest"
import { licenses, lockProblems } from "../scripts/lockProblems.ts"

const integrity = `sha512-${"A".repeat(86)}==`
const sound = { version: "1.2.3", integrity, license: "MIT" }
const forPlatform = { version: "1.2.3", cpu: ["arm64"], optional: true, os: ["darwin"] }
const manifest = { dependencies: { a: "1.2.3" }, devDependencies: { b: "1.2.3" } }
const policy = { installScripts: ["looked-at"], licenses }

const problemsWith = (packages: object, changed: object = {}) =>
  lockProblems(
    {
      lockfileVersion: 3,
      packages: { "": manifest, "node_modules/a": sound, "node_modules/b": { ...sound, dev: true }, ...packages }
    },
    { ...manifest, ...changed },
    policy
  )

it("a lock of exact packages from the registry has no problem, also with packages of other platforms", () => {
  assert.deepStrictEqual(
    problemsWith({
      "node_modules/a/node_modules/looked-at": { ...sound, hasInstallScript: true },
      "node_modules/a-darwin-arm64": forPlatform,
      "node_modules/b/node_modules/c": { ...sound, dev: true, license: "MPL-2.0" }
    }),
    []
  )
})

it.each([
  ["a git address", { ...sound, resolved: "git+ssh://git@example.org/x.git#abc" }, /comes from git\+ssh:/],
  ["another server", { ...sound, resolved: "https://example.org/x.tgz" }, /comes from https:\/\/example\.org/],
  ["a link", { ...sound, link: true }, /comes from a link/],
  ["another package's name", { ...sound, name: "other" }, /is another package under this name: other/],
  ["no hash", { version: "1.2.3", license: "MIT" }, /has no SHA-512/],
  ["a weak hash", { ...sound, integrity: "sha1-xyz" }, /has no SHA-512/],
  ["a range", { ...sound, version: "^1.0.0" }, /has no exact version/],
  ["an install script", { ...sound, hasInstallScript: true }, /has an install script that nobody has looked at/],
  ["a licence of development only", { ...sound, license: "MPL-2.0" }, /licence that nobody has looked at: MPL-2\.0/],
  ["no licence", { version: "1.2.3", integrity }, /licence that nobody has looked at: none/]
] as const)("a package with %s is a problem, which names it", (_what, entry, expected) => {
  const problems = problemsWith({ "node_modules/a/node_modules/x": entry })
  assert.lengthOf(problems, 1)
  assert.match(problems[0]!, /^node_modules\/a\/node_modules\/x: /)
  assert.match(problems[0]!, expected)
})

it("a package.json that the lock does not follow, or that leaves a version open, is a problem", () => {
  assert.match(
    problemsWith({}, { dependencies: { a: "1.2.4" } }).join(),
    /its dependencies are not those of package\.json/
  )
  assert.match(problemsWith({}, { dependencies: { a: "^1.2.3" } }).join(), /a: package\.json has \^1\.2\.3/)
})
