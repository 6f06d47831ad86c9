/** Everything of one session. */
export default function SessionView({ id }: { readonly id: string }) {
  return <main class="view">{id}</main>
}
