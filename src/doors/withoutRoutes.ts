/**
 * A refusal's sentence without the routes of the HTTP API that it points at: the client of another protocol has none of them.
 * What is left is what is wrong; where to go instead, each door says in its own words.
 */
const route = String.raw`(?:GET|POST|PUT|PATCH|DELETE) \/\S*`

const inBrackets = new RegExp(String.raw`\s*\([^()]*${route}[^()]*\)`, "g")
const orAfter = new RegExp(
  String.raw`,? or [^,.;]*\b(?:after|by|with) ${route.replace(String.raw`\S*`, String.raw`[^\s.;,]*`)}`,
  "g"
)
const named = new RegExp(String.raw`\b${route}`)

export const withoutRoutes = (message: string): string => {
  const clauses = message
    .replaceAll(inBrackets, "")
    .replaceAll(orAfter, "")
    .split(/(?<=[.;])\s+/)
  return clauses
    .flatMap((clause, nth) => {
      if (named.test(clause)) return []
      // The end of its sentence is left out.
      const isLast = clause.endsWith(";") && named.test(clauses[nth + 1] ?? "")
      return [isLast ? `${clause.slice(0, -1)}.` : clause]
    })
    .join(" ")
}
