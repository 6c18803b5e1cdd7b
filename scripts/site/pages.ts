/** What the site is made of: its pages, in the order of its navigation. */

/** A page that is a file of this repository. */
export interface Page {
  /** The Markdown, from the root of the repository. */
  readonly source: string;
  /** The file of the site. */
  readonly file: string;
  /** What the navigation calls it. */
  readonly name: string;
}

/** Pages under one heading of the navigation. */
export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

const doc = (file: string, name: string): Page => ({ source: `docs/${file}.md`, file: `${file}.html`, name });

/** The site, from top to bottom. A test demands that every page of `docs/` is in it. */
export const SECTIONS: readonly Section[] = [
  {
    title: "Begin",
    pages: [
      { source: "README.md", file: "index.html", name: "What it is" },
      doc("sign-in", "Signing in"),
      doc("kubectl", "kubectl"),
      doc("resources", "Resources"),
      doc("identity", "Who you are"),
    ],
  },
  {
    title: "Where you work",
    pages: [
      doc("ssh", "SSH, containers, WSL"),
      doc("ci", "In CI"),
      doc("fast", "Other ways to a token"),
      doc("plugins", "Plug-ins"),
      doc("issuers", "Any issuer, any cluster"),
      doc("from-kubelogin", "Coming from kubelogin"),
      doc("import", "Coming from other programs"),
      doc("setup", "Setting up a cluster"),
      doc("studio", "DataChain Studio"),
      doc("cloudfleet", "Cloudfleet"),
      doc("docker", "Docker"),
    ],
  },
  {
    title: "Look up",
    pages: [
      doc("commands", "Commands"),
      doc("doctor", "Doctor"),
      doc("errors", "Errors"),
      doc("completion", "Completion"),
      doc("prompt", "In a prompt"),
      { source: "SECURITY.md", file: "security.html", name: "Security" },
      doc("hostile-issuer", "What an issuer may send"),
    ],
  },
  {
    title: "Work on it",
    pages: [
      { source: "CONTRIBUTING.md", file: "contributing.html", name: "Contributing" },
      doc("architecture", "Architecture"),
      doc("internals", "Internals"),
      doc("releasing", "Releasing"),
    ],
  },
];

/** Every page of the site. */
export const PAGES: readonly Page[] = SECTIONS.flatMap(({ pages }) => pages);
