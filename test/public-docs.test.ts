import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../src/spawn/native-program.ts'

const file = join(packageRoot, 'src/api.ts')
const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)

describe('the public types', () => {
  for (const type of [
    'Command',
    'Resources',
    'Mount',
    'Tmpfs',
    'LogRotation',
    'LogOptions',
    'ShutdownOptions',
    'StartOptions',
    'WaitResult',
    'LimitsHit',
    'Enforcement',
    'Usage',
  ])
    it(`each field of ${type} has a comment`, () => {
      const fields = fieldsOf(type)
      assert.ok(fields.length > 0)
      const bare = fields.filter(field => ts.getJSDocCommentsAndTags(field).length === 0)
      assert.deepEqual(
        bare.map(({ name }) => name?.getText()).filter(name => name !== 'env'),
        [],
      )
    })
})

function fieldsOf(type: string): readonly ts.TypeElement[] {
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) && statement.name.text === type) return [...statement.members]
    if (
      ts.isTypeAliasDeclaration(statement) &&
      statement.name.text === type &&
      ts.isTypeLiteralNode(statement.type)
    )
      return [...statement.type.members]
  }
  return []
}
