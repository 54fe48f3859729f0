/** Who is signed in at this portal, or looks at it as somebody else: the token, the viewer behind it, and the
    way every request goes out. */
import { getOperationAST, type DocumentNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { useSyncExternalStore } from 'react';
// A portal that runs only the documents on its list runs these too, word for word: server/graphiql.py reads them.
import ACTIVATE from '../documents/activate.graphql?raw';
import SIGN_IN from '../documents/sign-in.graphql?raw';
import SIGN_OUT from '../documents/sign-out.graphql?raw';
import VIEWER from '../documents/viewer.graphql?raw';
import { page, type Role } from './portal';
import { texts } from './texts';

export interface Viewer {
  account: { name: string; userName: string } | null;
  staffMember: { name: string; userName: string } | null;
  viewedBy: { name: string } | null;
  customer: { name: string; code: string } | null;
  permissions: string[];
}

export interface Session {
  token: string | null;
  role: Role;
  viewer: Viewer | null;
  /** A staff member's own session, while it looks at the portal as somebody else. */
  own: { token: string; role: Role; name: string } | null;
  /** A way to look at the portal as somebody else, which an answer has opened. */
  view: { token: string; name: string | null } | null;
  busy: boolean;
  errors: string[];
}

interface Answer {
  data?: any;
  errors?: { message: string }[];
}

// ---- the state, kept outside React: a change of role builds GraphiQL anew ----

const STORED = `kontor:session:${page.portal.slug}`;

let session: Session = {
  token: null,
  role: 'buyer',
  viewer: null,
  own: null,
  view: null,
  busy: false,
  errors: [],
  ...JSON.parse(sessionStorage.getItem(STORED) ?? '{}'),
};
const listeners = new Set<() => void>();

function change(part: Partial<Session>): void {
  session = { ...session, ...part };
  const { token, role, own } = session;
  if (token) sessionStorage.setItem(STORED, JSON.stringify({ token, role, own }));
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

interface Params {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

/** The results of a subscription, over a WebSocket of its own, with the token of now. The token is in no address. */
async function* watch({ query, operationName, variables }: Params): AsyncGenerator<any> {
  const client = createClient({
    url: new URL(page.endpoint, location.href).href.replace(/^http/, 'ws'),
    connectionParams: () => (session.token ? { authorization: `Bearer ${session.token}` } : {}),
  });
  try {
    yield* client.iterate({ query, operationName, variables: variables as Record<string, unknown> | undefined });
  } finally {
    void client.dispose();
  }
}

/** GraphiQL's fetcher. After an answer with errors it asks whether the token is still good; a token to look at
    the portal as somebody else is offered in the panel. */
export async function fetcher(
  params: Params,
  options?: { headers?: Record<string, unknown>; documentAST?: DocumentNode },
): Promise<any> {
  const { documentAST } = options ?? {};
  if (documentAST && getOperationAST(documentAST, params.operationName)?.operation === 'subscription') return watch(params);
  const { answer } = await send(params, { headers: options?.headers as HeadersInit | undefined });
  if (answer.errors && session.token) void checkSession();
  const opened = answer.data?.accountViewAs;
  if (opened?.token) change({ view: { token: opened.token, name: opened.account?.name ?? null } });
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
    else if (status === 401 || (answer.data && !answer.errors)) await leave([session.own ? texts.viewEnded : texts.ended]);
    else change({ errors: messages(answer) });
  } catch (error) {
    change({ errors: [texts.unreachable(reason(error))] });
  }
}

export function signIn(userName: string, password: string): Promise<void> {
  return enter(SIGN_IN, { userName, password }, texts.refused);
}

/** Sets a first password with a one-time code. */
export function activate(userName: string, code: string, password: string): Promise<void> {
  return enter(ACTIVATE, { userName, code, password }, texts.notActivated);
}

async function enter(query: string, input: object, refused: string): Promise<void> {
  await act(async () => {
    const { answer } = await send({ query, variables: { input } }, { token: null });
    const token: string | undefined = answer.data?.entry?.token;
    if (!token) {
      const errors = messages(answer, answer.data?.entry?.errors);
      return change({ errors: errors.length ? errors : [refused] });
    }
    const former = [session.token, session.own?.token];
    change({ token, viewer: null, own: null, view: null });
    for (const each of former) if (each) void send({ query: SIGN_OUT }, { token: each }).catch(() => {});
    await checkSession();
  });
}

/** Ends the session; who has looked at the portal as somebody else is back in their own. */
export async function signOut(): Promise<void> {
  await act(async () => {
    const { answer } = await send({ query: SIGN_OUT });
    await leave(session.own ? [] : messages(answer, answer.data?.signOut?.errors));
  });
}

/** Looks at the portal as somebody else, the way an answer has opened. */
export async function lookAsOther(): Promise<void> {
  await act(async () => {
    const { view, token, role, viewer } = session;
    if (!view) return;
    const own = token ? { token, role, name: viewer?.staffMember?.name ?? '' } : null;
    change({ token: view.token, viewer: null, own: session.own ?? own, view: null });
    await checkSession();
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

/** The session is over: nobody is signed in, or the staff member again who has looked as somebody else. */
async function leave(errors: string[]): Promise<void> {
  const { token = null, role = 'buyer' as Role } = session.own ?? {};
  change({ token, role, viewer: null, own: null, view: null, errors });
  await checkSession();
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
