/** Everything of one session. */
export default function SessionView({ id }: { readonly id: string }) {
  return (
    <main id="view" class="view" tabIndex={-1}>
      {id}
    </main>
  )
}
