/**
 * Who is signed in. The link carries the token in the fragment, which no server is sent; it is taken out of the
 * address at once and kept for this tab alone, so that a copied address or a shared history gives nobody a session.
 */

import { inTab } from "./keep.js";

const KEPT = "rollcall.token";

let token = taken() ?? inTab.get(KEPT);

function taken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!found) return null;
  history.replaceState(null, "", location.pathname + location.search);
  // Whatever this tab remembered was somebody else's.
  inTab.clear();
  inTab.set(KEPT, found);
  return found;
}

/** What the token says: `{sub, org, role, club?, exp}`; nothing where there is none or it has run out. */
export function claims() {
  if (!token) return null;
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    const said = JSON.parse(new TextDecoder().decode(bytes));
    return said.exp * 1000 > Date.now() ? said : null;
  } catch {
    return null;
  }
}

export const bearer = () => token;

/** Takes a token, or a link that carries one. */
export function signIn(text) {
  token = text.trim().replace(/^.*#token=/, "");
  inTab.set(KEPT, token);
  return claims() !== null;
}

export function signOut() {
  token = null;
  inTab.drop(KEPT);
}

// A signed-in link opened in a tab that already shows a screen changes the fragment alone.
addEventListener("hashchange", () => {
  const fresh = taken();
  if (fresh) location.reload();
});
