/** Timers by name: what is to happen later, unless something else happens before. */

export class Timers {
  readonly #running = new Map<string, ReturnType<typeof setTimeout>>();

  start(name: string, ms: number, act: () => void): void {
    this.stop(name);
    this.startOnce(name, ms, act);
  }

  /** Unless it runs already. */
  startOnce(name: string, ms: number, act: () => void): void {
    if (this.#running.has(name)) return;
    const run = (): void => {
      this.#running.delete(name);
      act();
    };
    this.#running.set(name, setTimeout(run, ms));
  }

  stop(name: string): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const name of this.#running.keys()) this.stop(name);
  }
}
