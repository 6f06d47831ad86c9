/** Packages that only those install who use what needs them: `peerDependencies` of our package that are optional. */
import manifest from "../../package.json" with { type: "json" }

export type OptionalPackage = keyof typeof manifest.peerDependenciesMeta

/** The command that installs it, in a version that this Troupe was tried with. */
export const installOf = (name: OptionalPackage): string =>
  `npm install ${name}@${manifest.peerDependencies[name].replace(/^\D+/, "")}`

/** "… needs the package openai, which is not there. Install it beside Troupe: npm install openai@7.55.0" */
export const missingPackage = (subject: string, name: OptionalPackage): string =>
  `${subject} the package ${name}, which is not there. Install it beside Troupe: ${installOf(name)}`

/** Whether an import failed because the package is not there, and not because something in it is broken. */
export const isMissing = (cause: unknown, name: OptionalPackage): boolean =>
  cause instanceof Error &&
  "code" in cause &&
  (cause.code === "ERR_MODULE_NOT_FOUND" || cause.code === "MODULE_NOT_FOUND") &&
  cause.message.includes(`'${name}`)
