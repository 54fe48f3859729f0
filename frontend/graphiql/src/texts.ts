/** The page's own texts, in the portal's language. GraphiQL itself speaks English only. */
import { page } from './portal';

const en = {
  session: 'Session',
  portal: 'Portal',
  signedInAs: 'Signed in as',
  notSignedIn: 'Not signed in.',
  checking: 'Checking the session …',
  permissions: (count: number) => `Permissions (${count})`,
  personas: 'Demo accounts',
  signInAs: (name: string, role: string) => `Sign in as ${name} – ${role}`,
  roles: { buyer: 'Buyer', accountant: 'Accountant', staff: 'Staff' },
  signInForm: 'Sign in with your account',
  userName: 'User name',
  password: 'Password',
  signIn: 'Sign in',
  signOut: 'Sign out',
  otherPortals: 'Other portals',
  ended: 'The session has ended. Please sign in again.',
  refused: 'The sign-in did not succeed.',
  unreachable: (reason: string) => `No answer from the server: ${reason}`,
};

const de: typeof en = {
  session: 'Sitzung',
  portal: 'Kundenportal',
  signedInAs: 'Angemeldet als',
  notSignedIn: 'Nicht angemeldet.',
  checking: 'Die Sitzung wird geprüft …',
  permissions: (count) => `Berechtigungen (${count})`,
  personas: 'Demokonten',
  signInAs: (name, role) => `Anmelden als ${name} – ${role}`,
  roles: { buyer: 'Einkauf', accountant: 'Buchhaltung', staff: 'Firmenvertreter' },
  signInForm: 'Mit eigenem Konto anmelden',
  userName: 'Benutzername',
  password: 'Passwort',
  signIn: 'Anmelden',
  signOut: 'Abmelden',
  otherPortals: 'Andere Kundenportale',
  ended: 'Die Sitzung ist beendet. Bitte melden Sie sich erneut an.',
  refused: 'Die Anmeldung ist fehlgeschlagen.',
  unreachable: (reason) => `Keine Antwort vom Server: ${reason}`,
};

export const texts = page.portal.locale.toLowerCase().startsWith('de') ? de : en;
