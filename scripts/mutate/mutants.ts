/**
 * The mutants of a source file: each is one small change that alters what the program does, and that still parses.
 *
 * Types are not looked at, since they are gone when the program runs. Neither are texts, nor what is written to the log:
 * nobody relies on its wording.
 */
import { parseSync } from "vite"
import type { ESTree } from "vite"

/** `start` and `end` are offsets into the source; `line` counts from 1. */
export interface Mutant {
  readonly file: string
  readonly line: number
  readonly start: number
  readonly end: number
  readonly before: string
  readonly after: string
}

type Node = ESTree.Node
interface Change {
  readonly start: number
  readonly end: number
  readonly after: string
}

/** The file is only a name here. */
export const mutantsOf = (file: string, source: string): ReadonlyArray<Mutant> => {
  const { comments, errors, program } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} could not be parsed: ${errors[0]?.message}`)
  const code = comments.reduce(
    (text, { end, start }) => text.slice(0, start) + " ".repeat(end - start) + text.slice(end),
    source
  )
  const mutants: Array<Mutant> = []
  visit(program, code, file.startsWith("machines/"), (node, { after, end, start }) => {
    const before = source.slice(start, end)
    // A node that is bare where it stands may need parentheses, or can't be left out: then it is no mutant.
    if (after === before || parseSync(file, source.slice(0, start) + after + source.slice(end)).errors.length > 0)
      return
    mutants.push({ file, line: source.slice(0, node.start).split("\n").length, start, end, before, after })
  })
  return mutants
}

export const applied = (source: string, { after, end, start }: Mutant): string =>
  source.slice(0, start) + after + source.slice(end)

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

const childrenOf = (node: Node): ReadonlyArray<Node> =>
  Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    key === "parent" ? [] : Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []
  )

/** What wraps an expression for the compiler alone; every other `TS…` is a type. */
const wrappers = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "TSTypeAssertion"])

/** `code` is the source with spaces for its comments. */
const visit = (root: Node, code: string, isTable: boolean, found: (node: Node, change: Change) => void): void => {
  const enter = (node: Node, parents: ReadonlyArray<Node>) => {
    if ((node.type.startsWith("TS") && !wrappers.has(node.type)) || node.type.startsWith("Import")) return
    if (logs(node, code)) return
    for (const change of changesOf(node, parents, code, isTable)) found(node, change)
    for (const child of childrenOf(node)) enter(child, [node, ...parents])
  }
  enter(root, [])
}

const logs = (node: Node, code: string): boolean =>
  node.type === "CallExpression" && /^(Effect\.log|console\.)/.test(code.slice(node.start, node.end))

const opposite: Readonly<Record<string, ReadonlyArray<string>>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "++": ["--"],
  "--": ["++"]
}

const changesOf = (node: Node, parents: ReadonlyArray<Node>, code: string, isTable: boolean): ReadonlyArray<Change> => {
  const [parent] = parents
  const text = (of: Node) => code.slice(of.start, of.end)
  const by = (after: string, of: Node = node): Change => ({ start: of.start, end: of.end, after })
  /** The operator between two nodes, or before or after one. */
  const operator = (from: number, to: number, name: string) =>
    (opposite[name] ?? []).map((after) => {
      const start = code.indexOf(name, from)
      return start < 0 || start >= to ? by(text(node)) : { start, end: start + name.length, after }
    })

  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement":
      // Its operator is negated by itself.
      if (node.test.type === "BinaryExpression" && /^[!=]==$/.test(node.test.operator)) return []
      return [by(`!(${text(node.test)})`, node.test)]
    case "LogicalExpression":
      return node.operator === "??"
        ? [by(`(${text(node.left)})`), by(`(${text(node.right)})`)]
        : operator(node.left.end, node.right.start, node.operator)
    case "BinaryExpression":
      return joins(node.left) || joins(node.right) ? [] : operator(node.left.end, node.right.start, node.operator)
    case "AssignmentExpression":
      return joins(node.right) ? [] : operator(node.left.end, node.right.start, node.operator)
    case "UpdateExpression":
      return operator(node.start, node.end, node.operator)
    case "MemberExpression":
    case "CallExpression": {
      const of = node.type === "CallExpression" ? node.callee : node.object
      const start = code.indexOf("?.", of.end)
      // Before `[` or `(` nothing remains of it.
      const after = /[[(<]/.test(code[start + 2] ?? "") ? "" : "."
      return node.optional && start >= 0 ? [{ start, end: start + 2, after }] : []
    }
    case "Literal":
      return literals(node).map((after) => by(after))
    case "AssignmentPattern":
      return [by(text(node.left))]
    case "ArrayExpression":
      return node.elements.length === 0 ? [] : [by("[]")]
    // A statement that is left out is an empty block: the compiler takes no `;` for the body of an `if`.
    case "ExpressionStatement":
      return isDone(node.expression) && !logs(called(node.expression), code) ? [by("{}")] : []
    case "BlockStatement":
      return node.body.length === 0 ? [] : [by("{}")]
    case "ReturnStatement":
    case "ContinueStatement":
    case "ThrowStatement":
      return isEarly(node, parents) ? [by("{}")] : []
    case "Property":
      // The tables of machines are data: leaving out a guard, a target or an action is what can go wrong in them.
      return isTable && parent?.type === "ObjectExpression" && !node.shorthand ? [leftOut(node, parent, code)] : []
    default:
      return []
  }
}

/** A text joined by `+`. */
const joins = (node: Node): boolean =>
  node.type === "TemplateLiteral" ||
  (node.type === "Literal" && typeof node.value === "string") ||
  (node.type === "BinaryExpression" && node.operator === "+" && (joins(node.left) || joins(node.right)))

const literals = ({ raw, value }: { readonly raw: string | null; readonly value: unknown }): ReadonlyArray<string> => {
  if (typeof value === "boolean") return [String(!value)]
  if (typeof value !== "number" || raw === null) return []
  return value === 0 ? ["1"] : value === 1 ? ["0", "2"] : value <= 100 ? [`${value + 1}`] : ["1"]
}

const called = (node: Node): Node =>
  (node.type === "YieldExpression" || node.type === "AwaitExpression") && node.argument !== null
    ? called(node.argument)
    : node

/** A statement that does something, and whose value nobody reads. */
const isDone = (node: Node): boolean =>
  ["CallExpression", "YieldExpression", "AwaitExpression", "AssignmentExpression", "ChainExpression"].includes(
    node.type
  )

/** It ends its function, or its round, before the rest of it: it is in an `if`, alone or last in its block. */
const isEarly = (node: Node, [parent, above]: ReadonlyArray<Node>): boolean =>
  parent?.type === "IfStatement" ||
  (parent?.type === "BlockStatement" && above?.type === "IfStatement" && parent.body.at(-1) === node)

const leftOut = (node: Node, { properties }: ESTree.ObjectExpression, code: string): Change => {
  const next = properties[properties.findIndex((property) => property === node) + 1]
  if (next !== undefined) return { start: node.start, end: next.start, after: "" }
  const rest = code.slice(node.end)
  return { start: node.start, end: node.end + (rest.length - rest.replace(/^\s*,/, "").length), after: "" }
}
