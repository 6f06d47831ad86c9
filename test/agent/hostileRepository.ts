/** A repository whose own git configuration has git's commands run programs, each of which leaves its name in a file. */
import { execFileSync, spawnSync } from "node:child_process"
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface HostileRepository {
  readonly path: string
  /** The home of git's user, with the operator's own settings. */
  readonly home: string
  /** Runs git in the repository, or in a directory below it, and gives what it printed; it may fail. */
  readonly git: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>, below?: string) => string
  /** The names of the programs that ran since the last look. */
  readonly ran: () => ReadonlyArray<string>
  /** Makes a program that leaves this name. */
  readonly trap: (name: string) => string
  /** Has everything in the repository as it was made. */
  readonly restore: () => void
}

/** `root` is an empty directory. */
export const make = (root: string): HostileRepository => {
  const path = join(root, "repository")
  const home = join(root, "home")
  const traces = join(root, "traces")
  const trap = (name: string) => {
    const program = join(root, name)
    writeFileSync(program, `#!/bin/sh\necho ${name} >>${traces}\n`, { mode: 0o755 })
    return program
  }
  mkdirSync(home)
  const own = { PATH: process.env["PATH"] ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" }
  const git: HostileRepository["git"] = (args, env = {}, below = ".") => {
    const { stderr, stdout } = spawnSync("git", args, {
      cwd: join(path, below),
      env: { ...own, ...env },
      encoding: "utf8",
      timeout: 20_000
    })
    return `${stdout}${stderr}`
  }
  const must = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: path, env: own, stdio: "pipe" })
  writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = operator\n\temail = operator@localhost\n")
  mkdirSync(path)
  must("init", "-q", "-b", "main")
  writeFileSync(join(path, "a.txt"), "one\n")
  writeFileSync(join(path, "b.bin"), "one\n")
  writeFileSync(join(path, "c.raw"), "one\n")
  writeFileSync(join(path, ".gitattributes"), "*.txt diff=trap merge=trap\n*.bin diff=text\n*.raw filter=trap\n")
  must("add", "-A")
  must("commit", "-qm", "first")
  must("checkout", "-qb", "side")
  writeFileSync(join(path, "a.txt"), "side\n")
  must("commit", "-qam", "side")
  must("checkout", "-q", "main")
  writeFileSync(join(path, "a.txt"), "main\n")
  must("commit", "-qam", "main")
  const commit = execFileSync("git", ["cat-file", "commit", "HEAD"], { cwd: path, env: own, encoding: "utf8" })
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n"
  const signed = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], {
    cwd: path,
    env: own,
    encoding: "utf8",
    input: commit.replace("\n\n", `\n${signature}\n`)
  }).trim()
  must("tag", "signed", signed)
  embedBare(path, trap("bare"))
  must("add", "-A")
  must("commit", "-qm", "a directory that is a repository")
  for (const hook of ["post-checkout", "pre-commit", "post-index-change"]) {
    writeFileSync(join(path, ".git/hooks", hook), `#!/bin/sh\n${trap("hook")}\n`, { mode: 0o755 })
  }
  appendFileSync(join(path, ".git/config"), hostileConfig(trap))
  for (const name of ["a.txt", "b.bin"]) appendFileSync(join(path, name), "more\n")
  // As long as before, so that git has to look into it.
  writeFileSync(join(path, "c.raw"), "two\n")
  const ran = () => {
    const names = existsSync(traces) ? [...new Set(readFileSync(traces, "utf8").trim().split("\n"))].sort() : []
    rmSync(traces, { force: true })
    return names
  }
  ran()
  cpSync(path, join(root, "made"), { recursive: true })
  const restore = () => {
    rmSync(path, { recursive: true })
    cpSync(join(root, "made"), path, { recursive: true })
  }
  return { path, home, git, ran, restore, trap }
}

/** What a clone can bring: a directory that git takes for a repository, with a configuration of its own. */
const embedBare = (path: string, command: string) => {
  const bare = join(path, "docs")
  for (const name of ["objects/x", "refs/x"]) mkdirSync(join(bare, name), { recursive: true })
  for (const name of ["objects/x/y", "refs/x/y"]) writeFileSync(join(bare, name), "")
  writeFileSync(join(bare, "HEAD"), "ref: refs/heads/main\n")
  const config = `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n[alias]\n\tst = "!${command}"\n`
  writeFileSync(join(bare, "config"), config)
}

const hostileConfig = (trap: (name: string) => string) => `
[core]
	fsmonitor = "${trap("fsmonitor")}"
	editor = "${trap("editor")}"
	sshCommand = "${trap("ssh")}"
	askPass = "${trap("askpass")}"
[diff]
	external = "${trap("external")}"
[diff "trap"]
	command = "${trap("driver")}"
[diff "text"]
	textconv = "${trap("textconv")}"
[filter "trap"]
	clean = "${trap("clean")}"
	smudge = "${trap("smudge")}"
	required = true
[merge "trap"]
	driver = "${trap("merge")}"
[alias]
	st = "!${trap("alias")}"
[credential]
	helper = "!${trap("helper")}"
[credential "https://example.org"]
	helper = "!${trap("site-helper")}"
[gpg]
	program = "${trap("gpg")}"
[protocol "ext"]
	allow = always
[remote "ext"]
	url = "ext::${trap("ext")}"
[remote "pack"]
	url = .
	uploadpack = "${trap("uploadpack")}"
[remote "ssh"]
	url = "nobody@localhost:x"
`
