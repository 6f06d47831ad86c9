/** The fields of a body, and those of what it has in it, as far as a reader opens them. */
import { useSignal } from "@preact/signals"
import { nameOf, objectsIn, resolved, typeOf } from "./document.ts"
import type { ApiDocument, Schema } from "./document.ts"

/** Text of the contract: `code` in backticks. */
export const Prose = ({ text }: { readonly text: string }) => (
  <>{text.split("`").map((part, nth) => (nth % 2 === 1 ? <code key={nth}>{part}</code> : part))}</>
)

const Inner = ({ document, schema }: { readonly document: ApiDocument; readonly schema: Schema }) => {
  const isOpen = useSignal(false)
  return (
    <details onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary>{nameOf(schema) ?? "its fields"}</summary>
      {isOpen.value ? <Fields document={document} schema={schema} /> : null}
    </details>
  )
}

const Objects = ({ document, schema }: { readonly document: ApiDocument; readonly schema: Schema }) => (
  <>
    {objectsIn(document, schema).map((inner, nth) => (
      <Inner key={nth} document={document} schema={inner} />
    ))}
  </>
)

const Fields = ({ document, schema }: { readonly document: ApiDocument; readonly schema: Schema }) => {
  const { description, properties = {}, required = [] } = resolved(document, schema)
  return (
    <>
      {description === undefined ? null : (
        <p>
          <Prose text={description} />
        </p>
      )}
      <dl class="fields">
        {Object.entries(properties).map(([name, field]) => {
          const says =
            field.description ?? (nameOf(field) === undefined ? undefined : resolved(document, field).description)
          return (
            <div key={name}>
              <dt>
                <code>{name}</code>
                {required.includes(name) ? "" : "?"} <span class="dim">{typeOf(document, field)}</span>
              </dt>
              <dd>
                {says === undefined ? null : <Prose text={says} />}
                <Objects document={document} schema={field} />
              </dd>
            </div>
          )
        })}
      </dl>
    </>
  )
}

/** A body by its schema, closed until somebody wants to know. */
export const Body = ({ document, schema }: { readonly document: ApiDocument; readonly schema: Schema }) => (
  <>
    {objectsIn(document, schema).length === 1 ? null : <span class="dim">{typeOf(document, schema)}</span>}
    <Objects document={document} schema={schema} />
  </>
)
