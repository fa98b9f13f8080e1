import { strict as assert } from 'node:assert'
import { isAbsoluteHere } from '../../src/command/paths.ts'
import { mergedWindows, windowsDefaults } from '../../src/command/windows-environment.ts'
import { lookWindowsPath } from '../../src/command/windows-lookup.ts'
import { isReserved, isWindowsName } from '../../src/command/windows-names.ts'

describe('a program, looked up as Windows does', () => {
  const files = new Set([
    'C:\\tools\\run.exe',
    'C:\\tools\\old.COM',
    'C:\\bin\\run.com',
    'D:\\work\\here.exe',
    'C:\\bin\\a.bat',
  ])
  const look = (name: string, path = 'C:\\tools;C:\\bin', pathext?: string): string =>
    lookWindowsPath(name, {
      path,
      pathext,
      cwd: 'D:\\work',
      isFile: file => [...files].some(known => known.toLowerCase() === file.toLowerCase()),
    })

  it('is found by PATH, directory by directory, and in each by the endings of PATHEXT in their order', () => {
    assert.equal(look('run'), 'C:\\tools\\run.exe')
    assert.equal(look('run', 'C:\\bin;C:\\tools'), 'C:\\bin\\run.com')
    assert.equal(look('run', 'C:\\bin;C:\\tools', '.EXE'), 'C:\\tools\\run.exe')
    assert.equal(look('run.exe'), 'C:\\tools\\run.exe')
    assert.equal(look('OLD'), 'C:\\tools\\OLD.com')
    assert.equal(look('run', '"C:\\tools";;'), 'C:\\tools\\run.exe')
  })

  it('is never found in the working directory unless PATH says so, or the name is a path', () => {
    assert.throws(() => look('here'), { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' })
    assert.equal(look('here', '.'), 'D:\\work\\here.exe')
    assert.equal(look('.\\here'), 'D:\\work\\here.exe')
    assert.equal(look('D:here.exe'), 'D:\\work\\here.exe')
    assert.equal(look('C:/tools/run'), 'C:\\tools\\run.exe')
  })

  it('is refused where it is a batch file, by whatever name it was found, and where there is none', () => {
    for (const name of ['a', 'a.bat', 'C:\\bin\\A.BAT'])
      assert.throws(() => look(name), { code: 'START_FAILED', errno: 'EINVAL' }, name)
    for (const name of ['', 'nobody', 'C:\\tools', 'run.txt'])
      assert.throws(() => look(name), { errno: 'ENOENT' }, name)
  })
})

describe('the environment of a task on Windows', () => {
  const place = { taskDir: 'D:\\tasks\\x\\local', userName: 'me' }

  it('has the facts of the system and the directories of the task, and nothing else of the supervisor', () => {
    const env = windowsDefaults(
      { SystemRoot: 'E:\\Win', SECRET: 'x', TEMP: 'C:\\mine', Path: 'C:\\mine' },
      place,
    )
    assert.deepEqual([env.SystemRoot, env.SystemDrive, env.windir], ['E:\\Win', 'E:', 'E:\\Win'])
    assert.equal(env.ComSpec, 'E:\\Win\\System32\\cmd.exe')
    assert.equal(env.PATH, 'E:\\Win\\System32;E:\\Win;E:\\Win\\System32\\Wbem')
    for (const name of ['TEMP', 'TMP', 'USERPROFILE']) assert.equal(env[name], place.taskDir)
    assert.deepEqual([env.HOMEDRIVE, env.HOMEPATH, env.USERNAME], ['D:', '\\tasks\\x\\local', 'me'])
    assert.ok(!Object.values(env).some(value => value === 'x' || value.includes('mine')))
    assert.equal(windowsDefaults({}, place).SystemRoot, 'C:\\Windows')
  })

  it('has each name once in any case of its letters: the later one, as it is written', () => {
    assert.deepEqual(mergedWindows({ PATH: 'a', A: '1' }, { Path: 'b' }), { Path: 'b', A: '1' })
    assert.throws(() => mergedWindows({ Path: 'a', PATH: 'b' }), {
      code: 'INVALID_ARGUMENT',
      message: /Path|PATH/,
    })
  })
})

describe('names of files on Windows', () => {
  it('are none with a sign that Windows gives a meaning, an end that it drops, or the name of a device', () => {
    for (const name of ['web', 'a.b', 'ünï', '.hidden', 'console', 'com', 'nul1'])
      assert.ok(isWindowsName(name), name)
    for (const name of [
      'a:b',
      'a/b',
      'a\\b',
      'a?',
      'a*',
      '<',
      '>',
      '|',
      '"',
      'a.',
      'a ',
      'a\n',
      'CON',
      'nul.txt',
      'Com1',
      'LPT9.log',
    ])
      assert.ok(!isWindowsName(name), name)
    assert.deepEqual([isReserved('aux'), isReserved('auxiliary'), isReserved('com0')], [true, false, true])
  })

  it('are absolute with a drive and a root, or a server, and not otherwise', () => {
    for (const path of ['C:\\x', 'c:/x', '\\\\server\\share']) assert.ok(isAbsoluteHere(path, 'win32'), path)
    for (const path of ['\\x', '/x', 'C:x', 'x', 'C:']) assert.ok(!isAbsoluteHere(path, 'win32'), path)
  })
})
