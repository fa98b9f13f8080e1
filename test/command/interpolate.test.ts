import assert from 'node:assert/strict'
import fc from 'fast-check'
import { interpolate } from '../../src/command/interpolate.ts'

const variables = { HOME: '/home/x', A: 'a', A_1: 'a1', EMPTY: '', NESTED: '$A ${A}', DOLLARS: "$& $1 $$ $'" }

describe('interpolate', () => {
  for (const [text, expected] of [
    ['$A', 'a'],
    ['${A}', 'a'],
    ['x${A}y$A', 'xaya'],
    ['$A_1', 'a1'],
    ['$A-1', 'a-1'],
    ['$AB', '$AB'],
    ['${AB}', '${AB}'],
    ['[$EMPTY]', '[]'],
    ['$', '$'],
    ['$$A', '$a'],
    ['${', '${'],
    ['${}', '${}'],
    ['${A', '${A'],
    ['${A-b}', '${A-b}'],
    ['$NESTED', '$A ${A}'],
    ['$DOLLARS', "$& $1 $$ $'"],
    ['$constructor ${__proto__} $toString', '$constructor ${__proto__} $toString'],
  ] as const) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}`, () => {
      assert.equal(interpolate(text, variables), expected)
    })
  }

  const name = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/)

  it('leaves any text alone when it knows no variable', () => {
    fc.assert(fc.property(fc.string(), text => interpolate(text, {}) === text))
  })

  it('puts any value in place of any known name, unchanged', () => {
    fc.assert(
      fc.property(name, fc.string(), (variable, value) => {
        const known = Object.fromEntries([[variable, value]])
        assert.equal(interpolate(`<\${${variable}}>`, known), `<${value}>`)
        assert.equal(interpolate(`<$${variable}>`, known), `<${value}>`)
      }),
    )
  })
})
