/** What is done one after the other, however many ask for it at once: starts, and sign-ins, that would be slow side by side. */

export type InTurn = <T>(act: () => Promise<T>) => Promise<T>;

export const createTurns = (): InTurn => {
  let turn: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = turn.then(act);
    turn = mine.catch(() => undefined);
    return mine;
  };
};
