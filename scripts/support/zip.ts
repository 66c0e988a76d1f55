/** Members of a zip, such as the wheel of a Python package, for scripts. */
import { openPromise } from 'yauzl';

export async function* readMembers(
  path: string,
  isWanted: (name: string) => boolean,
): AsyncGenerator<{ readonly name: string; readonly bytes: Buffer }> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (!isWanted(entry.fileName)) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      yield { name: entry.fileName, bytes: Buffer.concat(chunks) };
    }
  } finally {
    zip.close();
  }
}
