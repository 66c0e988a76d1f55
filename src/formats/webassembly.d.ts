/** The parts of WebAssembly's interface that the scanner's host uses: TypeScript has them only together with a browser's. */
declare namespace WebAssembly {
  /** Compiled code; it has nothing to call. */
  interface Module {}
  interface Global<T = number> {
    value: T;
  }
  class Memory {
    constructor(options: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
