import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { type AnyStateNode, createMachine } from 'xstate'
import { outermost, taskChart, taskMachine } from '../../machines/index.ts'
import { layout } from '../../scripts/chart/lay-out.ts'
import { taskLayoutText } from '../../scripts/chart/text.ts'
import type { Box } from '../../src/graph/layout.ts'
import { taskGraph } from '../../src/index.ts'
import { refuses } from '../support/refuses.ts'

const states = Object.entries(taskMachine.states).flatMap(([name, { states }]) => [
  name,
  ...Object.keys(states),
])

describe('the graph of a task', () => {
  it('has every state and every event of the machine', () => {
    const { states: drawn, edges } = taskChart()
    assert.deepEqual(
      drawn.map(({ name }) => name),
      states,
    )
    const events = [...drawn.flatMap(({ answers }) => answers), ...edges.flatMap(({ labels }) => labels)]
    const named = new Set(events.map(({ event }) => event))
    for (const event of taskMachine.events.filter(type => !type.startsWith('xstate.')))
      assert.ok(named.has(event), event)
    assert.ok(named.has('launch done') && named.has('launch failed') && named.has('always'))
    assert.deepEqual(
      edges.find(({ from, to }) => from === 'launching' && to === 'running'),
      { from: 'launching', to: 'running', labels: [{ event: 'launch done', guard: null }] },
    )
  })

  it('names each state once, and says which lie in another', () => {
    const { states: drawn, edges } = taskChart()
    assert.equal(new Set(states).size, states.length)
    assert.deepEqual(
      drawn.filter(({ within }) => within !== null).map(({ name, within, kind }) => [name, within, kind]),
      [
        ['ready', 'limited', 'initial'],
        ['launching', 'limited', 'normal'],
      ],
    )
    assert.equal(outermost(drawn, 'launching'), 'limited')
    assert.equal(outermost(drawn, 'running'), 'running')
    assert.ok(!edges.some(({ from, to }) => from === 'limited' || to === 'limited'))
  })

  it('as mermaid has an arrow for each edge of the chart', async () => {
    const text = await taskGraph('mermaid')
    assert.match(text, /^stateDiagram-v2\n/)
    for (const { from, to } of taskChart().edges) assert.ok(text.includes(`${from ?? 'any'} --> ${to}: `))
    assert.match(text, / \[\*\] --> configured\n/)
    assert.match(text, / exited --> \[\*\]\n/)
    assert.match(text, / state limited \{\n {4}\[\*\] --> ready\n[^}]*launching[^}]*\n {2}\}\n/)
  })

  it('as JSON is the machine: read again, it has the same states and transitions', async () => {
    const config = JSON.parse(await taskGraph('json')) as Parameters<typeof createMachine>[0]
    const again = createMachine(config)
    const shape = (machine: typeof again) =>
      nodesIn(machine.root as AnyStateNode).map(node => ({
        key: node.key,
        type: node.type,
        invoked: node.invoke.map(({ id, src }) => [id, src]),
        transitions: [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(each => [
          each.eventType,
          each.target?.map(({ key }) => key),
          each.reenter,
          each.guard,
        ]),
      }))
    assert.deepEqual(shape(again), shape(taskMachine as unknown as typeof again))
  })

  it('is laid out as the machine is now: else run `npm run chart` and commit', async () => {
    assert.equal(readFileSync('src/graph/task-layout.ts', 'utf8'), await taskLayoutText())
  })

  it('as SVG stands alone, and nothing lies upon anything else', async () => {
    const svg = await taskGraph('svg')
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const state of states) assert.ok(svg.includes(`data-state="${state}"`), state)
    assert.match(svg, /prefers-color-scheme:dark/)
    assert.doesNotMatch(svg, /url\(|href|<script|@import/)

    const { states: placed, edges, width, height } = await layout(taskChart())
    // A state lies in the one that it is a part of, and so may the labels of the ways between such states.
    for (const { state, ...box } of placed)
      for (const outer of placed)
        if (outer.state.name === state.within)
          assert.ok(isIn(box, outer), `${state.name} is not in its state`)
    const around = (outer: string, inner: string): boolean =>
      placed.some(({ state }) => state.within === outer) && (inner.includes(' → ') || within(inner) === outer)
    const within = (name: string) => placed.find(({ state }) => state.name === name)?.state.within ?? null
    const boxes: [string, Box][] = [
      ...placed.map((state): [string, Box] => [state.state.name, state]),
      ...edges.map(({ edge, label }): [string, Box] => [`${edge.from} → ${edge.to}`, label]),
    ]
    for (const [name, box] of boxes) {
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, name)
      for (const [other, rest] of boxes)
        if (name !== other && !around(other, name) && !around(name, other))
          assert.ok(!overlap(box, rest), `${name} lies upon ${other}`)
    }
  })

  it('in another format is refused', async () => {
    await refuses(taskGraph('png' as 'svg'), { code: 'INVALID_ARGUMENT', message: /format: got "png"/ })
  })
})

function nodesIn(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesIn)]
}

function isIn(a: Box, b: Box): boolean {
  return a.x > b.x && a.y > b.y && a.x + a.width < b.x + b.width && a.y + a.height < b.y + b.height
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}
