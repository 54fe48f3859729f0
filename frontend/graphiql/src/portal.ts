/** What the server wrote into the page: this portal, its neighbours and, in a demo, its personas. */

export type Role = 'buyer' | 'accountant' | 'staff';

export interface Persona {
  userName: string;
  password: string;
  name: string;
  role: Role;
}

export interface Page {
  endpoint: string;
  portal: { slug: string; name: string; locale: string };
  portals: { slug: string; name: string; url: string }[];
  personas: Persona[];
}

const written: Partial<Page> = JSON.parse(document.getElementById('kontor')?.textContent || '{}');

export const page: Page = {
  endpoint: window.location.pathname,
  portal: { slug: 'portal', name: 'Kontor', locale: 'en' },
  portals: [],
  personas: [],
  ...written,
};
