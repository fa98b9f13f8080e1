import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../src/spawn/native-program.ts'

let directory: string | undefined

/** A program of the repository as JavaScript: one that is started some hundred times must not load a compiler each time. */
export function compiled(program: string): string {
  directory ??= compileAll()
  return join(directory, program.replace(/\.ts$/, '.js'))
}

function compileAll(): string {
  mkdirSync(join(packageRoot, 'build'), { recursive: true })
  // Inside the package, so that node_modules are found.
  const into = mkdtempSync(join(packageRoot, 'build', 'programs-'))
  // Some tests start it as another user.
  chmodSync(into, 0o755)
  process.once('exit', () => rmSync(into, { recursive: true, force: true }))
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  }
  for (const path of ['src', 'machines', 'test/support', 'test/fixtures/programs'].flatMap(sources)) {
    const target = join(into, path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    const text = readFileSync(join(packageRoot, path), 'utf8')
    writeFileSync(target, ts.transpileModule(text, { compilerOptions: options, fileName: path }).outputText)
  }
  return into
}

function sources(folder: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))
}
