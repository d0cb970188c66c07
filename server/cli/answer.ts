/** How a command ends: with its text, and an exit code that scripts can rely on. */

/** Its text, for standard output when it is 0 or 1, and its exit code. */
export type Answer = { readonly exitCode: 0 | 1 | 2 | 3; readonly output: string };

/** Prints what the command answers; what it wanted to ask and could not reach is 3. */
export async function answer(command: () => Promise<Answer>): Promise<void> {
  const { GatewayError } = await import("../errors.ts");
  const { exitCode, output } = await command().catch((error: unknown): Answer => {
    if (!(error instanceof GatewayError)) throw error;
    return { exitCode: 3, output: `${error.message}\n` };
  });
  process[exitCode < 2 ? "stdout" : "stderr"].write(output);
  process.exitCode = exitCode;
}
