/** Who is signed in at this portal: the token, the viewer behind it, and the way every request goes out. */
import { useSyncExternalStore } from 'react';
import { page, type Role } from './portal';
import { texts } from './texts';

export interface Viewer {
  account: { name: string; userName: string } | null;
  staffMember: { name: string; userName: string } | null;
  customer: { name: string; code: string } | null;
  permissions: string[];
}

export interface Session {
  token: string | null;
  role: Role;
  viewer: Viewer | null;
  busy: boolean;
  errors: string[];
}

interface Answer {
  data?: any;
  errors?: { message: string }[];
}

const VIEWER = `{ viewer {
  account { name userName } staffMember { name userName } customer { name code } permissions
} }`;
const SIGN_IN = `mutation($input: SignInInput!) {
  signIn(input: $input) { token errors { code message path } }
}`;
const SIGN_OUT = 'mutation { signOut { errors { code message } } }';

// ---- the state, kept outside React: a change of role builds GraphiQL anew ----

const STORED = `kontor:session:${page.portal.slug}`;

let session: Session = {
  token: null,
  role: 'buyer',
  viewer: null,
  busy: false,
  errors: [],
  ...JSON.parse(sessionStorage.getItem(STORED) ?? '{}'),
};
const listeners = new Set<() => void>();

function change(part: Partial<Session>): void {
  session = { ...session, ...part };
  const { token, role } = session;
  if (token) sessionStorage.setItem(STORED, JSON.stringify({ token, role }));
  else sessionStorage.removeItem(STORED);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

// ---- requests ----

/** One GraphQL request to this portal. Headers given by the user win over ours, `Authorization` included. */
async function send(
  body: object,
  { headers = {}, token = session.token }: { headers?: HeadersInit; token?: string | null } = {},
): Promise<{ status: number; answer: Answer }> {
  const all = new Headers({
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json, application/json',
    'Accept-Language': page.portal.locale,
  });
  if (token) all.set('Authorization', `Bearer ${token}`);
  new Headers(headers).forEach((value, name) => all.set(name, value));
  const response = await fetch(page.endpoint, { method: 'POST', headers: all, body: JSON.stringify(body) });
  const text = await response.text();
  try {
    return { status: response.status, answer: JSON.parse(text) };
  } catch {
    throw new Error(`HTTP ${response.status} ${response.statusText}`.trim());
  }
}

/** GraphiQL's fetcher. After an answer with errors it asks whether the token is still good. */
export async function fetcher(
  params: { query: string; operationName?: string | null; variables?: unknown },
  options?: { headers?: Record<string, unknown> },
): Promise<any> {
  const { answer } = await send(params, { headers: options?.headers as HeadersInit | undefined });
  if (answer.errors && session.token) void checkSession();
  return answer;
}

// ---- signing in and out ----

/** Asks who is behind the token; forgets a token that the server no longer takes. */
export async function checkSession(): Promise<void> {
  const { token } = session;
  if (!token) return;
  try {
    const { status, answer } = await send({ query: VIEWER });
    if (token !== session.token) return; // someone else has signed in meanwhile
    const viewer: Viewer | null = answer.data?.viewer ?? null;
    if (viewer) change({ viewer, role: roleOf(viewer) });
    else if (status === 401 || (answer.data && !answer.errors)) forget([texts.ended]);
    else change({ errors: messages(answer) });
  } catch (error) {
    change({ errors: [texts.unreachable(reason(error))] });
  }
}

export async function signIn(userName: string, password: string): Promise<void> {
  await act(async () => {
    const { answer } = await send({ query: SIGN_IN, variables: { input: { userName, password } } }, { token: null });
    const token: string | undefined = answer.data?.signIn?.token;
    if (!token) {
      const errors = messages(answer, answer.data?.signIn?.errors);
      return change({ errors: errors.length ? errors : [texts.refused] });
    }
    const former = session.token;
    change({ token, viewer: null });
    if (former) void send({ query: SIGN_OUT }, { token: former }).catch(() => {});
    await checkSession();
  });
}

export async function signOut(): Promise<void> {
  await act(async () => {
    const { answer } = await send({ query: SIGN_OUT });
    forget(messages(answer, answer.data?.signOut?.errors));
  });
}

/** One act at a time; what goes wrong on the way is shown. */
async function act(steps: () => Promise<void>): Promise<void> {
  if (session.busy) return;
  change({ busy: true, errors: [] });
  try {
    await steps();
  } catch (error) {
    change({ errors: [texts.unreachable(reason(error))] });
  } finally {
    change({ busy: false });
  }
}

function forget(errors: string[]): void {
  change({ token: null, viewer: null, role: 'buyer', errors });
}

function roleOf({ account, staffMember }: Viewer): Role {
  const userName = (account ?? staffMember)?.userName;
  const persona = page.personas.find((each) => each.userName === userName);
  return persona?.role ?? (staffMember ? 'staff' : 'buyer');
}

function messages(answer: Answer, refusals: { message: string }[] = []): string[] {
  return [...(answer.errors ?? []), ...refusals].map((error) => error.message);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
