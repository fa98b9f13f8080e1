import { endFacts, endSentence, failureText, limitsHitTexts } from './end-text.ts'
import { tone } from './ending.ts'
import type { Details, Row } from './types.ts'

/** How it ended, before everything else: why, at which limit, and which limits held it up before. */
export function EndPanel({ row, details }: { row: Row; details: Details | null }) {
  const facts = endFacts(row, details)
  const hits = details === null ? [] : limitsHitTexts(details)
  return (
    <section class={`end ${tone(row)}`} aria-label="End" data-testid="end">
      <p class="sentence">{endSentence(row, details)}</p>
      {row.failure !== null && <p>{failureText(row.failure)}</p>}
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {hits.length > 0 && (
        <div class="hits">
          <h3>Limits that held it up</h3>
          <ul>
            {hits.map(hit => (
              <li key={hit}>{hit}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
