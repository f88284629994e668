// A server for the tests, with a folder of its own, on a free port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const { EYEMOTION_BIN, EYEMOTION_PG_BIN, HOME, PATH } = process.env;
const program = EYEMOTION_BIN ?? fileURLToPath(new URL('../../../target/debug/eyemotion', import.meta.url));

/** Starts the built program, or the one that EYEMOTION_BIN names; tells its address and what stops it. */
export async function serve() {
  const folder = await mkdtemp(join(tmpdir(), 'eyemotion-sdk-'));
  const args = ['serve', '--host', '127.0.0.1', '--port', '0', '--data-dir', join(folder, 'data')];
  const env = { EYEMOTION_PG_BIN, HOME, PATH };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const lines = [];
  const address = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const [, found] = / is ready on (http:\S+)/.exec(line) ?? [];
        if (found) resolve(found);
      });
    }
    exited.then(() => reject(new Error(`The server ended:\n${lines.join('\n')}`)));
  });
  return { address, stop };
}
