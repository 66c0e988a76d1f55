/** One turn of `trailhound watch` as a function of AWS Lambda, whatever starts it: docs/watch.md. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('node_modules/trailhound/dist/src/cli/main.js', import.meta.url));
const CONFIG = fileURLToPath(new URL('trailhound.yaml', import.meta.url));
/** Before the function is cut off, for what is on its way. */
const GRACE_MS = 30_000;

/** The event says nothing: what there is to do stands in the config and the store. */
export async function handler(_event, context) {
  const child = spawn(process.execPath, [MAIN, 'watch', '--once', '--config', CONFIG, '--log-format', 'json'], {
    // Both go to the function's log.
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let isOver = false;
  const timer = setTimeout(
    () => {
      isOver = true;
      child.kill('SIGTERM');
    },
    Math.max(0, context.getRemainingTimeInMillis() - GRACE_MS),
  );
  try {
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    // What fails shows in the metric Errors; the next turn tries it again, as it goes on with one that was ended.
    if (status !== 0 && !isOver) throw new Error(`trailhound watch --once ended with status ${status}`);
    return { complete: status === 0 };
  } finally {
    clearTimeout(timer);
  }
}
