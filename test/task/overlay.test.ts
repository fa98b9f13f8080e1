import { strict as assert } from 'node:assert'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FilePatch, Workspace } from '../../src/index.ts'
import { TaskOverlay } from '../../src/task/overlay.ts'
import { withFakeNative } from '../support/fake-native.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'

const asked = { paths: [], maxFileBytes: 1024 }

/** A task of that workspace, which has begun unless `made` says less. The native program is a script. */
function overlaid(workspace?: Workspace, made: readonly string[] = ['base', 'upper']) {
  const task = recorded(fakeTask())
  const { request } = task.file.spec
  if (workspace !== undefined) Object.assign(request.command, { workspace })
  const directory = join(task.state.path, 'allocs', request.key, 'overlay')
  mkdirSync(directory, { recursive: true })
  for (const name of made)
    if (name === 'base' || name === 'unfinished') writeFileSync(join(directory, name), '')
    else mkdirSync(join(directory, name))
  return { task, directory, overlay: new TaskOverlay(request, task.dir) }
}

async function patchesOf(overlay: TaskOverlay, paths: string[] = []): Promise<FilePatch[]> {
  const all: FilePatch[] = []
  for await (const patch of overlay.patches({ ...asked, paths })) all.push(patch)
  return all
}

const kept = { path: '/w', overlay: true }
/** A file, a directory that is gone and that the host has changed too, a link changed, a link gone. */
const four = String.raw`printf 'Af 644 5\0new\0\0Dd! 755 0\0old/\0\0Ml 777 3\0link\0to\0Dl 777 3\0away\0to\0= 0\0\0\0'`
const oneFile = String.raw`printf 'Af 644 2\0src/new\0\0- 0 0 = 0\0f 644 2 = 2\0a\n= 0\0\0\0'`

describe('what a task has changed in its workspace', () => {
  before(function () {
    requires(this, 'linux')
  })

  for (const workspace of [undefined, { path: '/w' }])
    it(`is refused where that is ${workspace === undefined ? 'none' : 'in place'}`, async () => {
      const { overlay } = overlaid(workspace)
      for (const [call, work] of [
        ['changes', () => overlay.changes()],
        ['patches', () => patchesOf(overlay)],
        ['apply', () => overlay.apply(false)],
      ] as const)
        await refuses(work(), {
          code: 'INVALID_STATE',
          message: new RegExp(`^${call}\\(\\)`),
          hint: /--overlay/,
        })
    })

  for (const [when, made] of [
    ['it has never been shown to it', []],
    ['all of it was applied', ['base']],
  ] as const)
    it(`is nothing where ${when}, and nobody is asked`, () =>
      withFakeNative(four, async calls => {
        const { overlay } = overlaid(kept, made)
        assert.deepEqual(
          [await overlay.changes(), await patchesOf(overlay), await overlay.apply(true)],
          [[], [], []],
        )
        assert.deepEqual(calls(), [])
      }))

  it('is gone, and not nothing, where the task has begun and its directory is missing', async () => {
    const { task, overlay, directory } = overlaid(kept, [])
    new FakeShim(task.dir).started()
    await refuses(overlay.changes(), { code: 'STATE_CORRUPT', message: /is gone/ })
    assert.equal(existsSync(directory), true)
  })

  it('is what the native program tells', () =>
    withFakeNative(four, async calls => {
      const { overlay, directory } = overlaid(kept)
      assert.deepEqual(await overlay.changes(), [
        {
          path: 'new',
          kind: 'added',
          type: 'file',
          mode: 0o644,
          sizeBytes: 5,
          target: null,
          conflict: false,
        },
        {
          path: 'old',
          kind: 'deleted',
          type: 'directory',
          mode: 0o755,
          sizeBytes: null,
          target: null,
          conflict: true,
        },
        {
          path: 'link',
          kind: 'changed',
          type: 'link',
          mode: 0o777,
          sizeBytes: null,
          target: 'to',
          conflict: false,
        },
        {
          path: 'away',
          kind: 'deleted',
          type: 'link',
          mode: 0o777,
          sizeBytes: null,
          target: null,
          conflict: false,
        },
      ])
      assert.deepEqual(calls(), [`overlay changes ${directory} /w`])
    }))

  it('is refused with what that failed with', () =>
    withFakeNative(String.raw`printf '! 13\0src\0open\0= 1\0\0\0'`, async () => {
      const { overlay } = overlaid(kept)
      await refuses(overlay.changes(), {
        code: 'PERMISSION',
        stage: 'overlay',
        errno: 'EACCES',
        message: /\/w\/src/,
      })
    }))

  it('is told as patches, of the paths that were asked for', () =>
    withFakeNative(oneFile, async calls => {
      const { overlay, directory } = overlaid(kept)
      const [found, ...others] = await patchesOf(overlay, ['src', 'lib/b\ufffd'])
      assert.deepEqual([found?.change.path, found?.omitted, others], ['src/new', null, []])
      assert.match(Buffer.from(found?.patch ?? []).toString(), /^\+a$/m)
      // What a name that is no text is in is asked for, or all, and is looked through here.
      assert.deepEqual(await patchesOf(overlay, ['src', '\ufffd']), [found])
      assert.deepEqual(await patchesOf(overlay, ['sr']), [])
      assert.deepEqual(calls(), [
        `overlay contents ${directory} /w 1024 src lib`,
        `overlay contents ${directory} /w 1024`,
        `overlay contents ${directory} /w 1024 sr`,
      ])
    }))

  it('is no change any more once it was put in place', () =>
    withFakeNative(four, async calls => {
      const { overlay, directory } = overlaid(kept, ['base', 'upper', 'applied'])
      const applied = await overlay.apply(true)
      assert.deepEqual(
        applied.map(({ path }) => path),
        ['new', 'old', 'link', 'away'],
      )
      assert.deepEqual(calls(), [`overlay apply ${directory} /w force`])
      assert.deepEqual(
        ['upper', 'applied', 'base'].map(name => existsSync(join(directory, name))),
        [false, false, true],
      )
    }))

  it('stays where the host has changed the same, which is named', () =>
    withFakeNative(four.replace('= 0', '= 1'), async () => {
      const { overlay, directory } = overlaid(kept)
      await refuses(overlay.apply(false), { code: 'INVALID_STATE', message: /: old$/ })
      assert.equal(existsSync(join(directory, 'upper')), true)
    }))

  it('is cleaned of an apply that was killed, and only of that', () =>
    withFakeNative('exit 0', async calls => {
      await overlaid(kept).overlay.clean()
      assert.deepEqual(calls(), [])
      const { overlay, directory } = overlaid(kept, ['base', 'unfinished'])
      await overlay.clean()
      assert.deepEqual(calls(), [`overlay clean ${directory} /w`])
    }))
})
