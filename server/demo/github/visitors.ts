/** Who visits the web pages, and what they agree to without being asked. */

export type Visitors = {
  /** Whoever comes to sign in is this user and agrees at once: no page is shown. Null: the page is shown. Also for making Apps from a manifest and installing them. */
  preset(login: string | null): void;
};
