/**
 * An agent's text as Markdown, where the reader wants it: each token becomes an element that is named here, and all text in
 * it stays text. No image is loaded, and a link says where it leads.
 */
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import type { Token, Tokens } from "marked"
import { linkOf, markdownOf } from "../model/markdown.ts"

/** Deeper than this it is shown as it was written. */
const deepest = 12

export const Markdown = ({ text }: { readonly text: string }) => {
  const tokens = useMemo(() => markdownOf(text), [text])
  if (tokens === null) return <p class="entry-text">{text}</p>
  return <div class="markdown">{all(tokens, 0)}</div>
}

const all = (tokens: ReadonlyArray<Token> | undefined, depth: number): ComponentChildren =>
  (tokens ?? []).map((token, n) => <Part key={n} token={token} depth={depth} />)

const Part = ({ depth, token }: { readonly token: Token; readonly depth: number }) => {
  if (depth > deepest) return <>{token.raw}</>
  const inner = () => all((token as { readonly tokens?: ReadonlyArray<Token> }).tokens, depth + 1)
  switch (token.type) {
    case "space":
    case "def":
      return null
    case "paragraph":
      return <p>{inner()}</p>
    case "heading":
      return (
        <p class="md-heading" role="heading" aria-level={Math.min(6, (token as Tokens.Heading).depth + 2)}>
          {inner()}
        </p>
      )
    case "strong":
      return <strong>{inner()}</strong>
    case "em":
      return <em>{inner()}</em>
    case "del":
      return <s>{inner()}</s>
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>
    case "code":
      return <pre tabIndex={0}>{(token as Tokens.Code).text}</pre>
    case "blockquote":
      return <blockquote>{inner()}</blockquote>
    case "hr":
      return <hr />
    case "br":
      return <br />
    case "checkbox":
      return <>{(token as Tokens.Checkbox).checked ? "☑ " : "☐ "}</>
    case "list":
      return <List list={token as Tokens.List} depth={depth} />
    case "table":
      return <Table table={token as Tokens.Table} depth={depth} />
    case "link":
      return <Link link={token as Tokens.Link}>{inner()}</Link>
    case "image":
      return <Image image={token as Tokens.Image} />
    case "escape":
      return <>{(token as Tokens.Escape).text}</>
    case "text": {
      const { text, tokens } = token as Tokens.Text
      return <>{tokens === undefined ? text : inner()}</>
    }
    default:
      // HTML, and whatever a later version of the lexer knows.
      return <>{token.raw}</>
  }
}

const List = ({ depth, list }: { readonly list: Tokens.List; readonly depth: number }) => {
  const items = list.items.map((item, n) => <li key={n}>{all(item.tokens, depth + 1)}</li>)
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>
}

const Table = ({ depth, table }: { readonly table: Tokens.Table; readonly depth: number }) => (
  <div class="md-table" tabIndex={0} role="region" aria-label="Table">
    <table>
      <thead>
        <tr>
          {table.header.map((cell, n) => (
            <th key={n}>{all(cell.tokens, depth + 1)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, n) => (
          <tr key={n}>
            {row.map((cell, at) => (
              <td key={at}>{all(cell.tokens, depth + 1)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

const Link = ({ children, link }: { readonly link: Tokens.Link; readonly children: ComponentChildren }) => {
  const safe = linkOf(link.href)
  if (safe === null)
    return (
      <>
        {children} ({link.href})
      </>
    )
  const isPlain = link.text === link.href
  return (
    <>
      <a href={safe.href} target="_blank" rel="noopener noreferrer" title={safe.href}>
        {children}
      </a>
      {isPlain ? null : <span class="faint"> ({safe.to})</span>}
    </>
  )
}

const Image = ({ image: { href, text } }: { readonly image: Tokens.Image }) => {
  const safe = linkOf(href)
  const words = `image: ${text === "" ? "without a text" : text}`
  if (safe === null) return <span class="dim">[{words}]</span>
  return (
    <span class="dim">
      [
      <a href={safe.href} target="_blank" rel="noopener noreferrer" title={safe.href}>
        {words}
      </a>
      , {safe.to}]
    </span>
  )
}
