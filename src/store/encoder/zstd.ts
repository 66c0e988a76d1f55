/** zstd as WebAssembly, made ready once a thread. */
import { init } from '@bokuweb/zstd-wasm';

export { compress } from '@bokuweb/zstd-wasm';

let ready: Promise<void> | undefined;

/** Call before compress(). A second init() of the package would pair the code of one instance with the memory of another: what is compressed then is garbage. */
export function readyZstd(): Promise<void> {
  ready ??= init();
  return ready;
}
