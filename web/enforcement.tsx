import { requestedText, visible } from './text.ts'
import type { EnforcementRow } from './types.ts'

/** What became of each limit and isolation: what the host falls short of comes first. */
export function EnforcementPanel({ rows }: { rows: readonly EnforcementRow[] | null }) {
  const order = ({ status, chosen }: EnforcementRow): number => (status === 'enforced' ? 2 : chosen ? 1 : 0)
  const sorted = [...(rows ?? [])].sort((a, b) => order(a) - order(b))
  return (
    <section class="panel enforcement" aria-labelledby="enforcement">
      <h3 id="enforcement">Limits and isolation</h3>
      {sorted.length === 0 ? (
        <p class="nothing">{rows === null ? 'Loading …' : 'None was asked for.'}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Limits and isolation">
          <table>
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Asked for</th>
                <th scope="col">Became</th>
                <th scope="col">Why, and what would change it</th>
              </tr>
            </thead>
            <tbody>
              {sorted.map(row => (
                <tr key={row.name + row.requested}>
                  <th scope="row">{visible(row.name)}</th>
                  <td>{requestedText(row)}</td>
                  <td>
                    <span class={`mark ${row.status} ${row.chosen ? 'chosen' : ''}`}>{row.status}</span>
                  </td>
                  <td class="why">
                    {row.reason !== null && visible(row.reason)}
                    {row.hint !== null && <em> {visible(row.hint)}</em>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
