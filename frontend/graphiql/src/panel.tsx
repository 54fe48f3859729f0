/** The Session panel: the portal, who is signed in, and the ways in and out. */
import { useEffect, useRef, type FormEvent } from 'react';
import type { GraphiQLPlugin } from '@graphiql/react';
import { page } from './portal';
import { activate, lookAsOther, signIn, signOut, useSession, type Viewer } from './session';
import { texts } from './texts';

const { portal, portals, personas } = page;
const neighbours = portals.filter(({ slug }) => slug !== portal.slug);

/** The token whose holder was last shown: a change of it, and no mere reopening, moves the focus. */
let shownToken: string | null | undefined;

function SessionPanel() {
  const { token, viewer, own, view, busy, errors } = useSession();
  const userName = (viewer?.account ?? viewer?.staffMember)?.userName;
  const status = useRef<HTMLDivElement>(null);
  const alert = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (token && !viewer) return;
    if (shownToken !== undefined && shownToken !== token) status.current?.focus();
    shownToken = token;
  }, [token, viewer]);

  useEffect(() => {
    if (errors.length > 0) alert.current?.scrollIntoView({ block: 'nearest' }); // the form may be far below
  }, [errors]);

  return (
    <section className="kontor-session" aria-label={texts.session} aria-busy={busy}>
      <header>
        <h2>{portal.name}</h2>
        <p className="kontor-hint">
          {texts.portal} <code>{portal.slug}</code>
        </p>
      </header>

      <div className="kontor-status" role="status" tabIndex={-1} ref={status} data-signed-in={userName}>
        {viewer ? <Holder viewer={viewer} /> : <p>{token || busy ? texts.checking : texts.notSignedIn}</p>}
      </div>
      <div role="alert" ref={alert}>
        {errors.map((message) => (
          <p className="kontor-error" key={message}>
            {message}
          </p>
        ))}
      </div>
      <div role="status">
        {view && (
          <button type="button" className="graphiql-button" aria-disabled={busy} onClick={() => void lookAsOther()}>
            {texts.lookAs(view.name)}
          </button>
        )}
      </div>
      {token && (
        <button type="button" className="graphiql-button" aria-disabled={busy} onClick={() => void signOut()}>
          {own ? texts.backTo(own.name) : texts.signOut}
        </button>
      )}

      {personas.length > 0 && (
        <div role="group" aria-labelledby="kontor-personas">
          <h3 id="kontor-personas">{texts.personas}</h3>
          {personas.map((persona) => (
            <button
              type="button"
              key={persona.userName}
              className="graphiql-button"
              data-persona={persona.userName}
              aria-current={persona.userName === userName}
              aria-disabled={busy}
              onClick={() => void signIn(persona.userName, persona.password)}
            >
              {texts.signInAs(persona.name, texts.roles[persona.role])}
            </button>
          ))}
        </div>
      )}

      {!token && <SignInForm busy={busy} />}
      {!token && <ActivationForm busy={busy} />}

      {neighbours.length > 0 && (
        <nav aria-labelledby="kontor-portals">
          <h3 id="kontor-portals">{texts.otherPortals}</h3>
          <ul>
            {neighbours.map(({ slug, name, url }) => (
              <li key={slug}>
                <a href={url}>{name}</a> <code>{slug}</code>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </section>
  );
}

function Holder({ viewer: { account, staffMember, viewedBy, customer, permissions } }: { viewer: Viewer }) {
  const person = account ?? staffMember;
  return (
    <>
      <p>
        {viewedBy ? texts.looksAs(viewedBy.name) : texts.signedInAs} <strong>{person?.name}</strong>{' '}
        <code>{person?.userName}</code>
      </p>
      {viewedBy && <p className="kontor-hint">{texts.changesNothing}</p>}
      {customer && (
        <p>
          {customer.name} <code>{customer.code}</code>
        </p>
      )}
      <details>
        <summary>{texts.permissions(permissions.length)}</summary>
        <ul>
          {permissions.map((permission) => (
            <li key={permission}>
              <code>{permission}</code>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function SignInForm({ busy }: { busy: boolean }) {
  return (
    <form onSubmit={(event) => void signIn(...given(event, 'userName', 'password'))} aria-labelledby="kontor-form">
      <h3 id="kontor-form">{texts.signInForm}</h3>
      <UserName />
      <label>
        {texts.password}
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit" className="graphiql-button" aria-disabled={busy}>
        {texts.signIn}
      </button>
    </form>
  );
}

function ActivationForm({ busy }: { busy: boolean }) {
  return (
    <details>
      <summary>{texts.activationForm}</summary>
      <form
        onSubmit={(event) => void activate(...given(event, 'userName', 'code', 'password'))}
        aria-label={texts.activationForm}
      >
        <UserName />
        <label>
          {texts.code}
          <input name="code" autoComplete="one-time-code" autoCapitalize="characters" spellCheck={false} required />
        </label>
        <label>
          {texts.newPassword}
          <input name="password" type="password" autoComplete="new-password" minLength={8} required />
        </label>
        <button type="submit" className="graphiql-button" aria-disabled={busy}>
          {texts.activate}
        </button>
      </form>
    </details>
  );
}

function UserName() {
  return (
    <label>
      {texts.userName}
      <input name="userName" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
    </label>
  );
}

/** What was typed into a form that is being submitted, field by field. */
function given<Names extends string[]>(
  event: FormEvent<HTMLFormElement>,
  ...names: Names
): { [Each in keyof Names]: string } {
  event.preventDefault();
  const typed = new FormData(event.currentTarget);
  return names.map((name) => String(typed.get(name))) as { [Each in keyof Names]: string };
}

function SessionIcon() {
  return (
    <svg viewBox="0 0 24 24" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
      <circle cx="12" cy="8" r="4.25" />
      <path d="M4 20.5c.6-4 3.8-6 8-6s7.4 2 8 6" />
    </svg>
  );
}

export const sessionPlugin: GraphiQLPlugin = {
  title: texts.session,
  icon: SessionIcon,
  content: SessionPanel,
};
