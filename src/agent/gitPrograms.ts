/**
 * The keys of git's configuration that name what git runs, and values of theirs that run nothing of a repository's.
 *
 * By git's own documentation (git-config and the pages of its commands), 2.39 to 2.52. The keys are as `git config --list`
 * prints them: section and name in lower case.
 */

/** A plain difference, for a key whose value can't be empty. */
const plainDiff = `f() { diff -u -L "a/$1" -L "b/$1" "$2" "$5"; return 0; }; f`

const programs: ReadonlyArray<readonly [RegExp, string]> = [
  [/^core\.fsmonitor$/, "false"],
  [/^core\.hookspath$/, "/dev/null"],
  [/^core\.pager$/, "cat"],
  [/^pager\./, "false"],
  [/^(?:core|sequence)\.editor$/, ":"],
  [/^core\.sshcommand$/, "ssh"],
  [/^core\.askpass$/, ""],
  [/^core\.alternaterefscommand$/, "true"],
  [/^interactive\.difffilter$/, "cat"],
  [/^diff\.external$/, plainDiff],
  [/^diff\..+\.command$/, plainDiff],
  [/^diff\..+\.textconv$/, "cat"],
  [/^filter\..+\.(?:clean|smudge|process)$/, ""],
  [/^merge\..+\.driver$/, "false"],
  [/^gpg\.(?:openpgp\.)?program$/, "gpg"],
  [/^gpg\.x509\.program$/, "gpgsm"],
  [/^gpg\.ssh\.program$/, "ssh-keygen"],
  [/^gpg\.ssh\.defaultkeycommand$/, "false"],
  [/^remote\..+\.vcs$/, ""],
  [/^protocol\.allow$/, "user"],
  [/^protocol\..+\.allow$/, "user"],
  [/^submodule\..+\.update$/, "checkout"],
  // Aliases of a repository, also those that name no program of its own, but options for git.
  [/^alias\./, "!false"],
  // Programs of single commands, which fail without theirs.
  [/^(?:diff|merge|gui)tool\..+\.(?:cmd|path)$/, "false"],
  [/^(?:browser|man)\..+\.(?:cmd|path)$/, "false"],
  [/^trailer\..+\.(?:cmd|command)$/, "false"],
  [/^(?:tar|hook)\..+\.command$/, "false"],
  [/^sendemail\.(?:.+\.)?(?:smtpserver|sendmailcmd|tocmd|cccmd|headercmd)$/, "/bin/false"],
  [
    /^(?:gc\.recentobjectshook|uploadpack\.packobjectshook|imap\.tunnel|instaweb\.httpd|lfs\.customtransfer\..+\.path)$/,
    "false"
  ],
  [/^lfs\.extension\..+\.(?:clean|smudge)$/, "cat"]
]

const helpers = /^credential\.(?:.+\.)?helper$/

/** Of these git takes the first value, not the last. They run on this machine where the remote is one of its paths. */
const packers = /^remote\..+\.(?:uploadpack|receivepack)$/

const filters = /^(filter\..+)\.(?:clean|smudge|process)$/

export const isFilter = (key: string): boolean => filters.test(key)

/** Git runs what the key names, or lets something be run by it. */
export const isProgram = (key: string): boolean =>
  isList(key) || packers.test(key) || programs.some(([pattern]) => pattern.test(key))

/** All values of the key count together. */
export const isList = (key: string): boolean => helpers.test(key)

/** What to set so that git does not run what a repository has under the key. `own`: what its operator has there. */
export const harmless = (key: string, own: string | undefined): ReadonlyArray<readonly [string, string]> => {
  if (packers.test(key)) return [["protocol.file.allow", "never"]]
  if (own !== undefined) return [[key, own]]
  const value = programs.find(([pattern]) => pattern.test(key))?.[1] ?? ""
  const [, filter] = filters.exec(key) ?? []
  // Else git fails where a filter has no program.
  return filter === undefined
    ? [[key, value]]
    : [
        [key, value],
        [`${filter}.required`, "false"]
      ]
}
